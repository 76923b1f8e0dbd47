-- Types that users make, and functions that give a random value each time.

CREATE TYPE mood AS ENUM ('x', 'y', 'so "so"', 'a\b', '', 'très gai');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN numbers AS int[];
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nest AS (p pair, "q ""r""" pair[], at timestamptz, span interval, raw bytea, m mood, n positive, spans tstzrange[]);
CREATE TYPE shrunk AS (a int, gone text, b text);
ALTER TYPE shrunk DROP ATTRIBUTE gone;
CREATE TYPE textrange AS RANGE (SUBTYPE = text);
CREATE TYPE floatrange AS RANGE (SUBTYPE = float8);
CREATE TYPE timerange AS RANGE (SUBTYPE = time);
CREATE TYPE spanrange AS RANGE (SUBTYPE = interval);

-- An integer from the first to the second.
CREATE FUNCTION ri(bigint, bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT $1 + floor(random() * ($2 - $1 + 1))::bigint';

CREATE FUNCTION pick(text[]) RETURNS text LANGUAGE sql VOLATILE AS
  'SELECT $1[ri(1, cardinality($1))::int]';

-- Null now and then.
CREATE FUNCTION maybe(anyelement) RETURNS anyelement LANGUAGE sql VOLATILE AS
  'SELECT CASE WHEN random() < 0.8 THEN $1 END';

CREATE FUNCTION rtext() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE result text := '';
BEGIN
  FOR i IN 1 .. ri(0, 9) LOOP
    result := result || pick(ARRAY['a', 'B', ' ', '"', '\', '''', ',', '(', ')', '[', ']', '{', '}',
      E'\n', E'\r', E'\t', E'\b', E'\f', E'\v', E'\x01', E'\x1f', E'\x7f', 'é', E'\u2028', '🎉', '/',
      'null', '<', '&', '0', 'plain words that need no escape', ':', '|', '!']);
  END LOOP;
  RETURN result;
END $$;

CREATE FUNCTION rword() RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT pick(ARRAY['a', 'cat', 'très', '🎉', 'it''s', 'back\slash', 'x y', '"q"', 'a:b']) || ri(0, 99) $$;

CREATE FUNCTION rbytes(bigint) RETURNS bytea LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(string_agg(set_byte('\x00', 0, ri(0, 255)::int), '' ORDER BY i), '') FROM generate_series(1, $1) i $$;

CREATE FUNCTION rbits(bigint) RETURNS varbit LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(string_agg(ri(0, 1)::text, '' ORDER BY i), '')::varbit FROM generate_series(1, $1) i $$;

CREATE FUNCTION rnumeric() RETURNS numeric LANGUAGE sql VOLATILE AS
  $$ SELECT (pick(ARRAY['', '-']) || ri(0, 999999999) || pick(ARRAY['', '0000', '000000000000', ri(0, 99999999)::text])
     || pick(ARRAY['', '.0', '.' || ri(0, 99999999), '.0000' || ri(0, 9999), '.' || repeat('0', ri(0, 30)::int) || ri(0, 999)])
     || pick(ARRAY['', '', 'e' || ri(-60, 60)]))::numeric $$;

CREATE FUNCTION rfloat() RETURNS float8 LANGUAGE sql VOLATILE AS
  $$ SELECT (pick(ARRAY['', '-']) || pick(ARRAY['0', '1', ri(1, 9)::text, ri(1, 999999)::text, random()::text, (ri(0, 9999) / 100.0)::text])
     || pick(ARRAY['', '', 'e' || ri(-12, 25)]))::float8 $$;

CREATE FUNCTION rdate() RETURNS date LANGUAGE sql VOLATILE AS
  $$ SELECT '2000-01-01'::date + CASE ri(0, 3) WHEN 0 THEN ri(-2451544, 2145031948) WHEN 1 THEN ri(-2451544, 100000000) ELSE ri(-60000, 40000) END::int $$;

CREATE FUNCTION rtime() RETURNS time LANGUAGE sql VOLATILE AS
  $$ SELECT '00:00'::time + CASE ri(0, 2) WHEN 0 THEN '1 s' WHEN 1 THEN '1 ms' ELSE '1 us' END::interval * ri(0, 86399999) $$;

CREATE FUNCTION rzone() RETURNS interval LANGUAGE sql VOLATILE AS
  $$ SELECT '1 s'::interval * (ri(-15, 15) * 3600 + CASE ri(0, 2) WHEN 0 THEN 0 WHEN 1 THEN 1800 ELSE ri(0, 3599) END) $$;

CREATE FUNCTION rtimestamp() RETURNS timestamp LANGUAGE sql VOLATILE AS
  $$ SELECT CASE ri(0, 5) WHEN 0 THEN '4713-01-01 BC'::timestamp + ri(0, 298000) * '1 year'::interval
       WHEN 1 THEN '2000-01-01'::timestamp + ri(-6700, 290000) * '1 year'::interval
       ELSE '2000-01-01'::timestamp + ri(-60000, 30000) * '1 day'::interval END
     + ri(0, 365) * '1 day'::interval + rtime() $$;

CREATE FUNCTION rinterval() RETURNS interval LANGUAGE sql VOLATILE AS
  $$ SELECT make_interval(
       months => (ri(0, 1) * ri(-40, 40))::int,
       days => (ri(0, 1) * ri(-40, 40))::int,
       hours => (ri(0, 1) * ri(-200, 200))::int,
       mins => (ri(0, 1) * ri(-100, 100))::int,
       secs => ri(0, 1) * CASE ri(0, 1) WHEN 0 THEN ri(-70, 70) ELSE ri(-70000000, 70000000) / 1000000.0 END) $$;

CREATE FUNCTION rinet() RETURNS inet LANGUAGE plpgsql VOLATILE AS $$
DECLARE words text[] := '{}';
BEGIN
  IF random() < 0.5 THEN
    RETURN (ri(0, 255) || '.' || ri(0, 255) || '.' || ri(0, 255) || '.' || ri(0, 255)
      || pick(ARRAY['', '/' || ri(0, 32)]))::inet;
  END IF;
  FOR i IN 1 .. 8 LOOP
    words := words || pick(ARRAY['0', '0', '0', '0', '1', 'ffff', to_hex(ri(0, 65535))]);
  END LOOP;
  IF random() < 0.3 THEN words[1:5] := '{0,0,0,0,0}'; END IF;
  RETURN (array_to_string(words, ':') || pick(ARRAY['', '/' || ri(0, 128)]))::inet;
END $$;

CREATE FUNCTION rpoint() RETURNS point LANGUAGE sql VOLATILE AS 'SELECT point(rfloat(), rfloat())';

CREATE FUNCTION rpoints() RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT string_agg(rpoint()::text, ',') FROM generate_series(1, ri(1, 5)) $$;

CREATE FUNCTION rquery() RETURNS tsquery LANGUAGE plpgsql VOLATILE AS $$
DECLARE tree tsquery := quote_literal(rword())::tsquery; other tsquery;
BEGIN
  FOR i IN 1 .. ri(0, 7) LOOP
    other := (quote_literal(rword()) || pick(ARRAY['', ':*', ':A', ':bD', ':*abcd']))::tsquery;
    IF random() < 0.3 THEN other := other || quote_literal(rword())::tsquery; END IF;
    IF random() < 0.2 THEN other := tsquery_phrase(other, tree, ri(0, 5)::int); END IF;
    tree := CASE ri(0, 6) WHEN 0 THEN tree && other WHEN 1 THEN tree || other
      WHEN 2 THEN other && tree WHEN 3 THEN !!tree WHEN 4 THEN tree <-> other
      WHEN 5 THEN tsquery_phrase(other, tree, ri(1, 40)::int) ELSE other || tree END;
  END LOOP;
  RETURN tree;
END $$;

CREATE FUNCTION rvector() RETURNS tsvector LANGUAGE sql VOLATILE AS
  $$ SELECT string_agg(quote_literal(rword()) || pick(ARRAY['', ':1', ':3A,5b,9', ':16383', ':2C,2,7D']), ' ')::tsvector
     FROM generate_series(1, ri(1, 6)) $$;

CREATE FUNCTION rjson() RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT pick(ARRAY['null', 'true', '[]', '{}', rnumeric()::text, to_json(rtext())::text,
       '{"a": ' || rnumeric() || ' , ' || to_json(rtext()) || ':[ null,"\u00e9\/"] ,"a":1}', '[1e400, -0, 1.50]']) $$;

CREATE FUNCTION bounds() RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT pick(ARRAY['[)', '[]', '(]', '()']) $$;

CREATE FUNCTION rpair() RETURNS pair LANGUAGE sql VOLATILE AS
  'SELECT ROW(maybe(ri(-9, 9)::int), maybe(rtext()))::pair';

CREATE FUNCTION rtstzrange() RETURNS tstzrange LANGUAGE sql VOLATILE AS
  $$ SELECT tstzrange(maybe(least(a, b)), maybe(greatest(a, b)), bounds())
     FROM (SELECT rtimestamp() AT TIME ZONE 'UTC' a, rtimestamp() AT TIME ZONE 'UTC' b) x $$;

CREATE FUNCTION rtsrange() RETURNS tsrange LANGUAGE sql VOLATILE AS
  $$ SELECT tsrange(maybe(least(a, b)), maybe(greatest(a, b)), bounds())
     FROM (SELECT rtimestamp() a, rtimestamp() b) x $$;

CREATE FUNCTION rdaterange() RETURNS daterange LANGUAGE sql VOLATILE AS
  $$ SELECT daterange(maybe(least(a, b)), maybe(greatest(a, b)), '[)')
     FROM (SELECT rdate() a, rdate() b) x $$;

CREATE FUNCTION rtextrange() RETURNS textrange LANGUAGE sql VOLATILE AS
  $$ SELECT textrange(maybe(least(a, b)), maybe(greatest(a, b)), bounds())
     FROM (SELECT rtext() a, rtext() b) x $$;

CREATE FUNCTION rspanrange() RETURNS spanrange LANGUAGE sql VOLATILE AS
  $$ SELECT spanrange(maybe(least(a, b)), maybe(greatest(a, b)), bounds())
     FROM (SELECT rinterval() a, rinterval() b) x $$;
