//! `init`: finds rigs whose files promise a database that does not exist, and makes it.

use std::path::PathBuf;

use super::create::{self, Created};
use super::{RigError, metadata};
use crate::doltserver::{Context, databases};
use crate::town::beads::BeadsDir;
use crate::town::rigs;

/// A rig that promises a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rig.
    pub rig: String,
    /// The database that its metadata names.
    pub database: String,
    /// Its `.beads` directory.
    pub beads: PathBuf,
}

/// Rigs whose metadata says backend `dolt`, mode `server`, and whose database is not in the data directory.
pub fn broken(context: &Context<'_>) -> Result<Vec<Broken>, RigError> {
    let existing = databases::names(&databases::scan(context.town)?);
    let mut found = Vec::new();
    for rig in rigs::registered(context.town)? {
        let beads: BeadsDir = rig.beads.resolved();
        let Ok(Some(metadata)) = beads.metadata() else { continue };
        if !metadata.is_server_mode() {
            continue;
        }
        let database = metadata.database().unwrap_or_else(|| rig.name.clone());
        if !existing.contains(&database) {
            found.push(Broken { rig: rig.name, database, beads: beads.path().to_owned() });
        }
    }
    Ok(found)
}

/// Makes the missing database of a rig and puts its files right.
pub async fn repair(context: &Context<'_>, broken: &Broken) -> Result<Created, RigError> {
    let port = metadata::port_in_force(context)?;
    let created = create::database(context, &broken.database).await?;
    BeadsDir::at(&broken.beads).point_at(&broken.database, context.settings.client_host(), port)?;
    Ok(created)
}
