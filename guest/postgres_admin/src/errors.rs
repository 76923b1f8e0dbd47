//! The codes that this connector answers beside those of reading parameters.

use airlock_connector::ErrorCode;

/// DescribeTable found nothing.
pub(crate) const TABLE_NOT_FOUND: ErrorCode = ErrorCode::statement(
    "TableNotFound",
    "There is no such table or view. Names are compared as the catalog stores them: unquoted names are in lower case.",
);

/// DescribeTable found several.
pub(crate) const TABLE_AMBIGUOUS: ErrorCode = ErrorCode::statement(
    "TableAmbiguous",
    "Several schemas have a table of this name. Give schema as well.",
);

/// ExplainStatement got none, several, or one that EXPLAIN does not take here.
pub(crate) const STATEMENT_REFUSED: ErrorCode = ErrorCode::statement(
    "StatementRefused",
    "statement is not exactly one SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE or WITH, without EXPLAIN in front.",
);

/// ExplainStatement was asked to run the statement.
pub(crate) const ANALYZE_REFUSED: ErrorCode = ErrorCode::statement(
    "AnalyzeRefused",
    "EXPLAIN ANALYZE runs the statement, and this connector only reads. Use DoSQL of postgres_v2 where its policy allows that.",
);

/// ExplainStatement got too few or too many values.
pub(crate) const VALUES_MISMATCH: ErrorCode = ErrorCode::statement(
    "ValuesMismatch",
    "statement has parameters up to $n, so values needs n elements.",
);
