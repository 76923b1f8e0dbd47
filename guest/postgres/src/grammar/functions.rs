//! The functions that expressions may call.
//!
//! Expressions come from process data as often as from authors, so they may call what only computes
//! on its arguments: nothing that reads files, sleeps, runs SQL text, changes settings, sequences
//! or large objects, or talks to other servers. Everything else is for DoSQL.

/// Built-in functions and aggregates without side effects, in the spelling that goes into SQL.
const PURE: &str = "abs age any_value array_agg array_append array_cat array_length array_lower \
    array_position array_prepend array_remove array_replace array_to_json array_to_string \
    array_upper ascii avg bit_and bit_length bit_or bool_and bool_or btrim cardinality cbrt ceil \
    ceiling char_length character_length chr coalesce concat concat_ws corr cos count cume_dist \
    date_bin date_part date_trunc decode degrees dense_rank div encode every exp first_value floor \
    format greatest initcap isfinite json_agg json_array_length json_build_array \
    json_build_object json_extract_path json_extract_path_text json_object_agg json_typeof \
    jsonb_agg jsonb_array_length jsonb_build_array jsonb_build_object jsonb_extract_path \
    jsonb_extract_path_text jsonb_object_agg jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof \
    justify_days justify_hours justify_interval lag last_value lead least left length ln log lower \
    lpad ltrim make_date make_interval make_time make_timestamp make_timestamptz max md5 min mod \
    nth_value ntile nullif num_nonnulls num_nulls octet_length percent_rank pi power quote_ident \
    quote_literal quote_nullable radians rank regexp_match regexp_replace repeat replace reverse \
    right round row_number row_to_json rpad rtrim sha256 sign sin split_part sqrt starts_with \
    stddev stddev_pop stddev_samp string_agg string_to_array strpos substr substring sum tan \
    to_char to_date to_hex to_json to_jsonb to_number to_timestamp translate trim trunc unistr \
    upper var_pop var_samp variance width_bucket generate_series json_array_elements \
    json_array_elements_text json_object_keys jsonb_array_elements jsonb_array_elements_text \
    jsonb_object_keys pg_typeof regexp_split_to_table string_to_table unnest version \
    current_database";

/// Functions that read the clock or a generator.
const AMBIENT: &str = "clock_timestamp gen_random_uuid now random statement_timestamp timeofday \
    transaction_timestamp uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7";

/// Functions that only a column default may call: they act each time a row is inserted.
const DEFAULTS: &str = "nextval";

/// Key words that are values, without parentheses.
const VALUES: &str = "true false null current_date current_time current_timestamp localtime \
    localtimestamp current_user session_user current_role current_catalog current_schema";

fn find(list: &'static str, word: &str) -> Option<&'static str> {
    list.split_ascii_whitespace()
        .find(|name| name.eq_ignore_ascii_case(word))
}

/// The function called `word`, if expressions may call it.
pub(super) fn function(word: &str, in_default: bool) -> Option<&'static str> {
    find(PURE, word)
        .or_else(|| find(AMBIENT, word))
        .or_else(|| find(DEFAULTS, word).filter(|_| in_default))
}

/// The key word `word`, if it is a value.
pub(super) fn value(word: &str) -> Option<&'static str> {
    find(VALUES, word)
}
