//! By whom commits are: what Dolt's own configuration says, so that a commit has the same author whoever writes it.

use std::path::Path;

use super::env::{self, Env};
use super::json::Object;

/// A name and an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// The identity that Dolt would use in a database: its own configuration, then the user's. Without one `dolt` refuses to
/// commit; here the login name stands in.
pub fn of(environment: &Env, database: Option<&Path>) -> Identity {
    let own = database.map(|dir| dir.join(".dolt/config.json"));
    let global = dirs::home_dir().map(|home| home.join(".dolt/config_global.json"));
    let read = |file: std::path::PathBuf| Object::load(&file).ok().flatten();
    let configured: Vec<Object> = own.into_iter().chain(global).filter_map(read).collect();
    let setting = |key: &str| configured.iter().find_map(|c| c.get::<String>(key)).filter(|v| !v.is_empty());
    let user = environment.text(env::USER).unwrap_or_else(|| "gt".to_owned());
    let email = setting("user.email").unwrap_or_else(|| format!("{user}@localhost"));
    Identity { name: setting("user.name").unwrap_or(user), email }
}
