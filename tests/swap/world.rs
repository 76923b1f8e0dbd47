//! Servers of the binary under test.

use airlock_tests::Server;
use airlock_tests::world::{self, World};

const BINARY: &str = env!("CARGO_BIN_EXE_airlock");

/// Starts a server that finds `components` in its directory.
pub(crate) async fn serving(components: &[(&str, &[u8])]) -> World {
    configured("", components).await
}

/// As [`serving`], with more of a configuration.
pub(crate) async fn configured(config: &str, components: &[(&str, &[u8])]) -> World {
    World::start(BINARY, config, components, &[]).await
}

/// Starts one more server over the directory of another one.
pub(crate) fn serving_too(world: &World) -> Server {
    world::serve(BINARY, &world.at(""), &world.config(), &[])
}
