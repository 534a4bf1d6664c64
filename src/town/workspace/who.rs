//! Who runs the command: actor, owner and role, in bd's order.
//!
//! bd's own order differs from its help in one point, and the program decides: `BD_ACTOR` is the setting `actor`'s variable,
//! so it goes before the file, and both go before `BEADS_ACTOR` (seen with bd 1.1.0).

use super::Workspace;
use super::git::Repo;
use super::git_config::GitConfig;
use super::place::{Given, Origin};
use crate::town::env;

impl Workspace {
    /// In whose name a change is made: `flag`, `BD_ACTOR`, `actor` in yaml, `BEADS_ACTOR`, git's `user.name`, `USER`,
    /// or `unknown`.
    pub fn actor(&self, flag: Option<&str>) -> Given<String> {
        if let Some(flag) = flag.filter(|f| !f.is_empty()) {
            return Given::new(flag.to_owned(), Origin::Flag);
        }
        if let Some((value, source)) = self.config().said("actor") {
            return Given::new(value, Origin::Config(source));
        }
        let variable = |name: &str| Some(Given::new(self.env().text(name)?, Origin::Env(name.to_owned())));
        variable("BEADS_ACTOR")
            .or_else(|| self.of_git("user.name"))
            .or_else(|| variable(env::USER))
            .unwrap_or_else(|| Given::new("unknown".to_owned(), Origin::Default))
    }

    /// The person behind it: `GIT_AUTHOR_EMAIL` or git's `user.email`; empty if neither says anything.
    pub fn owner(&self) -> Given<String> {
        let name = "GIT_AUTHOR_EMAIL";
        let variable = self.env().text(name).map(|value| Given::new(value, Origin::Env(name.to_owned())));
        variable
            .or_else(|| self.of_git("user.email"))
            .unwrap_or_else(|| Given::new(String::new(), Origin::Default))
    }

    /// `beads.role` of the repository that the issues belong to. Whoever works through a redirect, or in the issues of another
    /// repository, is a contributor.
    pub fn role(&self) -> Option<Given<String>> {
        if self.facts().is_redirected {
            return Some(Given::new("contributor".to_owned(), Origin::Default));
        }
        let main = self.repo().and_then(Repo::main_root);
        let main = main.and_then(|root| Repo::around(&self.env().without_git(), &root));
        let config = GitConfig::load(self.env(), main.as_ref());
        let role = config.get("beads.role").map(str::trim).filter(|r| !r.is_empty())?;
        Some(Given::new(role.to_owned(), Origin::Git("beads.role")))
    }

    fn of_git(&self, key: &'static str) -> Option<Given<String>> {
        let value = self.git_config().get(key).map(str::trim).filter(|v| !v.is_empty())?;
        Some(Given::new(value.to_owned(), Origin::Git(key)))
    }
}
