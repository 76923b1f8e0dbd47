//! The codes that the commands answer, as workflows that came from the Python connector know them.

use airlock_connector::ErrorCode;

/// A key is missing.
pub(crate) const KEY_ERROR: ErrorCode =
    ErrorCode::parameters("KeyError", "A key is missing from schema. Add it.");

/// A value has the wrong type.
pub(crate) const TYPE_ERROR: ErrorCode = ErrorCode::parameters(
    "TypeError",
    "A value has the wrong type, such as text where a list belongs.",
);

/// A list has the wrong length, or a word is unknown.
pub(crate) const VALUE_ERROR: ErrorCode = ErrorCode::parameters(
    "ValueError",
    "A list has the wrong length, or a word is not among the choices.",
);

/// Text is not in the grammar.
pub(crate) const SYNTAX_ERROR: ErrorCode = ErrorCode::parameters(
    "SyntaxError",
    "A name, expression or type is not in the grammar of the command. Use DoSQL for other SQL.",
);

/// A condition has an operator that nobody knows, or no list where its operator takes one.
pub(crate) const EXCEPTION: ErrorCode = ErrorCode::parameters(
    "Exception",
    "An operator in where is unknown, or its value is no list where it takes one.",
);

/// Something is no object.
pub(crate) const ATTRIBUTE_ERROR: ErrorCode =
    ErrorCode::parameters("AttributeError", "schema, or set in it, is no object.");

/// There are too few values.
pub(crate) const INDEX_ERROR: ErrorCode =
    ErrorCode::statement("IndexError", "There are fewer values than placeholders.");

/// There is nothing to run.
pub(crate) const PROGRAMMING_ERROR: ErrorCode = ErrorCode::statement(
    "ProgrammingError",
    "There is no statement, or no rows to fetch.",
);

/// The text ends the transaction.
pub(crate) const INVALID_TRANSACTION_TERMINATION: ErrorCode = ErrorCode::statement(
    "InvalidTransactionTermination",
    "The text begins or ends transactions. Each call is one transaction.",
);

/// The text has parameters of its own.
pub(crate) const UNDEFINED_PARAMETER: ErrorCode = ErrorCode::statement(
    "UndefinedParameter",
    "The text holds $1. Write %s for each value.",
);

/// Those of every command.
pub(crate) const SCHEMA: &[ErrorCode] = &[KEY_ERROR, TYPE_ERROR, VALUE_ERROR, SYNTAX_ERROR];
