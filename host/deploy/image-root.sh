#!/bin/sh
# Puts together what is in the image, and nothing else: the program, the libraries that it is linked
# with, the authorities that certificates of servers may come from, and a user.
#
#     image-root.sh PROGRAM ROOT
set -eu
program=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/var/cache/airlock" "$root/proc"
install -m 755 "$program" "$root/usr/bin/airlock"
for library in $(ldd "$program" | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# The C library finds names by these.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'airlock:x:65532:65532::/:/sbin/nologin' >"$root/etc/passwd"
echo 'airlock:x:65532:' >"$root/etc/group"
