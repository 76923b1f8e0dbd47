//! Generated from `wit/`. Everything a connector needs is re-exported by hand from the crate root.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]

wit_bindgen::generate!({
    path: "wit",
    world: "connector",
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "airlock_connector::bindings",
});
