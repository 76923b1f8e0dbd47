//! Words of the Python connector that this one replaces. Boundary events of existing workflows
//! catch these codes, and people know these messages.

use airlock_connector::{Failure, Sealed};

use crate::errors::{INDEX_ERROR, TYPE_ERROR};

/// What Python calls the type of a JSON value.
pub(crate) fn type_name(value: Sealed) -> &'static str {
    match value {
        Sealed::Null => "NoneType",
        Sealed::Boolean => "bool",
        Sealed::Int4 | Sealed::Int8 => "int",
        Sealed::Numeric => "float",
        Sealed::String => "str",
        Sealed::Array => "list",
        Sealed::Object => "dict",
    }
}

/// Fewer values than placeholders.
pub(crate) fn too_few_values(detail: String) -> Failure {
    INDEX_ERROR.failure(format!("list index out of range\n{detail}"))
}

/// More values than placeholders.
pub(crate) fn too_many_values(detail: String) -> Failure {
    TYPE_ERROR.in_statement().failure(format!(
        "not all arguments converted during string formatting\n{detail}"
    ))
}

/// Something that is no list where a list of rows belongs.
pub(crate) fn not_iterable(value: Sealed) -> Failure {
    TYPE_ERROR.in_statement().failure(format!(
            "'{}' object is not iterable\nvalues must be a list of rows, such as [[1, \"a\"], [2, \"b\"]]",
            type_name(value)
        ),
    )
}
