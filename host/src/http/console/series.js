// What happened between readings of counts that only grow.

/** The change up to each reading from the one `span` before it, or from the first; null where there is none. */
export function since(readings, span) {
  return readings.map((now, index) => {
    const before = readings[Math.max(0, index - span)];
    const seconds = (new Date(now.at) - new Date(before.at)) / 1000;
    return index === 0 || seconds <= 0 ? null : new Change(before, now, seconds);
  });
}

class Change {
  constructor(before, now, seconds) {
    this.before = before;
    this.now = now;
    this.seconds = seconds;
  }

  /** How much a count grew. */
  count(of) {
    return Math.max(0, of(this.now) - of(this.before));
  }

  /** The same in a second. */
  rate(of) {
    return this.count(of) / this.seconds;
  }

  /** How much each bucket of a histogram grew; null where none did. */
  buckets(of) {
    const before = of(this.before);
    const grown = of(this.now).map((count, index) => Math.max(0, count - (before[index] ?? 0)));
    return sum(grown) === 0 ? null : grown;
  }
}

/** The sum of numbers. */
export function sum(numbers) {
  return numbers.reduce((all, one) => all + one, 0);
}

/** The histograms of all `parts` as one. */
export function together(parts, of) {
  const all = [];
  for (const part of parts) {
    of(part).forEach((count, index) => {
      all[index] = (all[index] ?? 0) + count;
    });
  }
  return all;
}

/** What a part of all is at most: within its bucket as if all values were evenly spread. */
export function percentile(buckets, bounds, part) {
  let left = part * sum(buckets);
  for (const [index, count] of buckets.entries()) {
    if (count > 0 && left <= count) {
      const [from, to] = [bounds[index - 1] ?? 0, bounds[index] ?? bounds.at(-1)];
      return from + (to - from) * (left / count);
    }
    left -= count;
  }
  return bounds.at(-1);
}
