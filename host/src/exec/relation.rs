//! Looks at the relation of a plain INSERT: would another form of the same rows store the same?

use super::prepare;
use super::session::Session;
use crate::insert::PlainInsert;
use futures_util::future::try_join;
use std::pin::pin;
use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type};

/// A relation into which many rows can go at once.
pub(super) struct Relation {
    /// Types of the columns that the INSERT lists.
    pub(super) columns: Vec<Type>,
    /// Whether COPY stores what INSERT stores; statements of many rows do so in any case.
    pub(super) takes_copy: bool,
}

/// What the catalog says about the relation `$1`, of which the INSERT lists the columns `$2`.
///
/// - Rules rewrite INSERT and leave COPY alone; views and foreign tables have an INSERT of their own.
/// - Triggers, and functions in defaults, checks and policies, see the rows that went in before; how
///   many those are depends on the form. So do foreign keys from the table to itself.
/// - COPY is refused where there is row security.
/// - A column that is GENERATED ALWAYS AS IDENTITY refuses a value from INSERT and takes it from COPY.
///
/// What holds for a table must hold for all of its partitions.
const FACTS: &str = "
    WITH target AS (
        SELECT to_regclass($1)::oid AS oid
    ), relations AS (
        SELECT c.oid, c.relkind, c.relhasrules
        FROM pg_class c, target
        WHERE c.oid = target.oid OR c.oid IN (SELECT relid FROM pg_partition_tree(target.oid))
    ), functions AS (
        SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_proc'::regclass AND refobjid >= 16384
    )
    SELECT (SELECT bool_and(relkind IN ('r', 'p') AND NOT relhasrules) FROM relations)
           AND NOT EXISTS (
               SELECT FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relations) AND NOT tgisinternal)
           AND NOT EXISTS (
               SELECT FROM pg_constraint
               WHERE contype = 'f' AND conrelid IN (SELECT oid FROM relations)
                 AND confrelid IN (SELECT oid FROM relations))
           AND NOT EXISTS (
               SELECT FROM pg_constraint k JOIN functions f ON f.classid = 'pg_constraint'::regclass AND f.objid = k.oid
               WHERE k.conrelid IN (SELECT oid FROM relations) OR k.contypid <> 0)
           AND NOT EXISTS (
               SELECT FROM pg_attrdef d JOIN functions f ON f.classid = 'pg_attrdef'::regclass AND f.objid = d.oid
               WHERE d.adrelid IN (SELECT oid FROM relations))
           AND NOT EXISTS (
               SELECT FROM pg_policy p JOIN functions f ON f.classid = 'pg_policy'::regclass AND f.objid = p.oid
               WHERE p.polrelid IN (SELECT oid FROM relations)),
           NOT row_security_active(target.oid)
           AND NOT EXISTS (
               SELECT FROM pg_attribute
               WHERE attrelid = target.oid AND attname::text = ANY ($2) AND attidentity = 'a')
    FROM target";

/// Looks at the relation; none where rows must go in one by one.
///
/// The INSERT is parsed anew in front of the question. That locks the relation until the transaction
/// ends, so what is found here still holds when the rows go in.
pub(super) async fn look(
    session: &mut Session,
    insert: &PlainInsert,
) -> Result<Option<Relation>, Error> {
    let opening = session.take_opening();
    let client = session.client();
    let unknown = vec![Type::UNKNOWN; insert.width];
    let sql = insert.of_rows(1);
    let names: [(&(dyn ToSql + Sync), Type); 2] = [
        (&insert.table, Type::TEXT),
        (&insert.names, Type::TEXT_ARRAY),
    ];
    let (statement, facts) = {
        let parse = pin!(client.prepare_typed(&sql, &unknown));
        let ask = client.query_typed(FACTS, &names);
        try_join(opening.before(client, parse), ask).await?
    };
    prepare::note_types(session, &statement);
    let [facts] = facts.as_slice() else {
        return Ok(None);
    };
    let fact = |at| {
        facts
            .try_get::<_, Option<bool>>(at)
            .map(|fact| fact == Some(true))
    };
    Ok(fact(0)?.then_some(Relation {
        columns: statement.params().to_vec(),
        takes_copy: fact(1)?,
    }))
}
