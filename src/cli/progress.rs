//! How far long work is: a bar on standard error, if that is a terminal.
//!
//! What could go wrong is that a bar gets into what a program reads, flickers where work is short, or stays behind where an error
//! is told. So there is none unless somebody looks and has waited, and it is gone when the work ends, however it ends.

use std::io::{self, IsTerminal, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sys::clock::Deadline;

/// Whoever has waited so long wants to know for how much longer.
const PATIENCE: Duration = Duration::from_millis(300);

/// Pieces are counted, or bytes.
const PIECES: &str = "{msg:9} [{bar:40}] {human_pos} of {human_len}";
const BYTES: &str = "{msg:9} [{bar:40}] {binary_bytes} of {binary_total_bytes}";
/// Nobody knows how much there is, or what is being waited for tells nothing.
const UNTOLD: &str = "{msg:9} {binary_bytes}";
const SILENT: &str = "{msg}";

/// A bar. It can be told from several threads, and its copies are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    stage: &'static str,
    // When it is shown, if it is not shown yet and is to be.
    hidden_until: Option<Deadline>,
}

impl Bar {
    /// Nothing is shown yet, and nothing ever if it `is_silent`.
    pub(crate) fn new(is_silent: bool) -> Self {
        let is_seen = !is_silent && io::stderr().is_terminal();
        let hidden_until = is_seen.then(|| Deadline::after(PATIENCE));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar, state: Arc::new(Mutex::new(State { stage: "", hidden_until })) }
    }

    /// A stage of so many pieces begins, if it has not begun yet.
    pub(crate) fn begin(&self, stage: &'static str, pieces: usize) {
        self.change(stage, u64::try_from(pieces).ok(), PIECES);
    }

    /// A stage begins that tells nothing before it is done.
    pub(crate) fn wait(&self, stage: &'static str) {
        self.change(stage, None, SILENT);
        self.show();
    }

    /// So many pieces, or bytes, of this stage are done.
    pub(crate) fn at(&self, done: usize) {
        self.show();
        self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    }

    /// The same source, whose bytes count as they are read; `bytes`: how many there are, if that is known.
    pub(crate) fn reading<R: Read>(&self, source: R, bytes: Option<u64>) -> impl Read + use<R> {
        self.change("reading", bytes, if bytes.is_some() { BYTES } else { UNTOLD });
        Counted { source, bar: self.clone(), done: 0 }
    }

    /// It is gone.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self) {
        let mut state = self.state();
        if state.hidden_until.as_ref().is_some_and(Deadline::has_passed) {
            state.hidden_until = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn change(&self, stage: &'static str, length: Option<u64>, template: &str) {
        let mut state = self.state();
        if state.stage == stage {
            return;
        }
        state.stage = stage;
        // Each of these may be drawn.
        self.bar.set_position(0);
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        match length {
            Some(length) => self.bar.set_length(length),
            None => self.bar.unset_length(),
        }
        self.bar.set_message(stage);
    }
}

/// A source whose bytes are counted.
struct Counted<R> {
    source: R,
    bar: Bar,
    done: usize,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.done = self.done.saturating_add(read);
        self.bar.at(self.done);
        Ok(read)
    }
}
