//! The part of the command tree that one call needs. Agents call `bd` thousands of times a day, and making all commands with
//! all their flags takes longer than everything else that a short command does.
//!
//! What could go wrong is that the small tree takes words otherwise than the whole one. So it only ever says yes: it holds one
//! command, made from the same type, and whatever it does not take (help, faults, other commands) is left to the whole tree.

use std::ffi::OsString;

use clap::{Args, Command};

use super::{
    Global, close, comment, create, delete, export, import, label, links, list, memory, prime, ready,
    reports, search, shorthand, show, sql, update,
};

/// The tree with the one command that these words seem to name, the program's name first. `None`: one that is rare.
pub(super) fn tree(words: &[OsString]) -> Option<Command> {
    let verb = verb(seems(words)?)?;
    let bare = Command::new("bd").disable_version_flag(true).subcommand_required(true);
    Some(Global::augment_args(bare).subcommand(verb))
}

// The first word that is no flag and no flag's value.
fn seems(words: &[OsString]) -> Option<&str> {
    let mut words = words.iter().skip(1).map(|word| word.to_str());
    loop {
        match words.next()?? {
            "--actor" | "--db" | "-C" | "--directory" | "--dolt-auto-commit" | "--engine" => {
                words.next()?;
            }
            flag if flag.starts_with('-') => {}
            word => return Some(word),
        }
    }
}

fn verb(word: &str) -> Option<Command> {
    fn of<A: Args>(name: &'static str) -> Command {
        A::augment_args(Command::new(name))
    }
    Some(match word {
        "blocked" => of::<reports::Blocked>("blocked"),
        "children" => of::<list::Children>("children"),
        "close" => of::<close::Close>("close"),
        "done" => of::<close::DoneWith>("done"),
        "comment" => of::<comment::Comment>("comment"),
        "comments" => of::<comment::Comments>("comments"),
        "count" => of::<reports::Count>("count"),
        "create" | "new" => of::<create::Create>("create").visible_alias("new"),
        "delete" => of::<delete::Delete>("delete"),
        "export" => of::<export::Export>("export"),
        "forget" => of::<memory::Forget>("forget"),
        "import" => of::<import::Import>("import"),
        "label" => of::<label::Label>("label"),
        "link" => of::<links::Link>("link"),
        "list" => of::<list::List>("list"),
        "memories" => of::<memory::Memories>("memories"),
        "note" => of::<shorthand::Note>("note"),
        "prime" => of::<prime::Prime>("prime"),
        "q" => of::<shorthand::Quick>("q"),
        "query" => of::<search::Query>("query"),
        "ready" => of::<ready::Ready>("ready"),
        "recall" => of::<memory::Recall>("recall"),
        "remember" => of::<memory::Remember>("remember"),
        "reopen" => of::<close::Reopen>("reopen"),
        "search" => of::<search::Search>("search"),
        "show" | "view" => of::<show::Show>("show").visible_alias("view"),
        "sql" => of::<sql::Sql>("sql"),
        "status" | "stats" => of::<reports::Overview>("status").visible_alias("stats"),
        "update" => of::<update::Update>("update"),
        "version" => Command::new("version").about("Which bd this is"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    // All of it but its place in the list of commands.
    fn without_place(command: &Command) -> String {
        let text = format!("{command:?}");
        let (begin, rest) = text.split_once("disp_ord: ").unwrap();
        format!("{begin}{}", rest.split_once(", template").unwrap().1)
    }

    #[test]
    fn a_command_by_itself_is_the_one_of_the_whole_tree() {
        let whole = super::super::whole_tree();
        let mut compared = 0;
        for of_whole in whole.get_subcommands() {
            for name in std::iter::once(of_whole.get_name()).chain(of_whole.get_all_aliases()) {
                let Some(alone) = verb(name) else { continue };
                assert_eq!(without_place(&super::super::as_in_bd(alone)), without_place(of_whole), "{name}");
                compared += 1;
            }
        }
        assert_eq!(compared, 33);
    }

    #[test]
    fn the_word_behind_a_flag_that_takes_one_is_no_command() {
        assert_eq!(seems(&words("bd --db list --json show x")), Some("show"));
        assert_eq!(seems(&words("bd --db=list ready")), Some("ready"));
        assert_eq!(seems(&words("bd --json")), None);
        assert!(tree(&words("bd -C here rename a b")).is_none());
        // A guess that is wrong is no answer.
        let wrong = tree(&words("bd --unknown list show x")).unwrap();
        assert!(wrong.try_get_matches_from(words("bd --unknown list show x")).is_err());
    }
}
