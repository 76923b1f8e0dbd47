//! Messages of a PostgreSQL server, as bytes.

/// A message: a tag, a length and a body.
pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[tag][..], &length, body].concat()
}

/// Texts that end with a zero.
pub(super) fn texts(texts: &[&str]) -> Vec<u8> {
    let ended = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"]);
    ended.collect::<Vec<_>>().concat()
}

/// The columns of rows: name and type of each.
pub(super) fn row_description(columns: &[(&str, u32)]) -> Vec<u8> {
    let mut body = count(columns.len());
    for (name, oid) in columns {
        body.extend(texts(&[name]));
        // Neither a table nor a column of it.
        body.extend([0; 6]);
        body.extend(oid.to_be_bytes());
        // Size, modifier and format.
        body.extend([0xff; 6]);
        body.extend([0, 0]);
    }
    body
}

/// The values of a row; none is NULL.
pub(super) fn data_row(values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut body = count(values.len());
    for value in values {
        match value {
            Some(value) => {
                body.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
                body.extend(value);
            }
            None => body.extend((-1_i32).to_be_bytes()),
        }
    }
    body
}

/// The types of parameters, all of them text.
pub(super) fn parameter_description(parameters: usize) -> Vec<u8> {
    let mut body = count(parameters);
    (0..parameters).for_each(|_| body.extend(25_u32.to_be_bytes()));
    body
}

/// What went wrong, or is to be known.
pub(super) fn report(severity: &str, sqlstate: &str) -> Vec<u8> {
    let fields = [
        ('S', severity),
        ('V', severity),
        ('C', sqlstate),
        ('M', "message"),
    ];
    let mut body = Vec::new();
    for (field, text) in fields {
        body.push(field as u8);
        body.extend(texts(&[text]));
    }
    body.push(0);
    body
}

/// A number in the two bytes in which the protocol counts.
pub(super) fn count(number: usize) -> Vec<u8> {
    u16::try_from(number).unwrap().to_be_bytes().into()
}
