//! How answers are written: one file per format.

pub(crate) mod escape;
mod extended;
mod progress;
mod simple;
mod style;
mod table;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use etcd_client::v2::{KeysResponse, WatchItem};
use serde::Serialize;

pub(crate) use progress::Progress;
pub(crate) use simple::Simple;
pub(crate) use style::Style;
pub(crate) use table::Table;

use crate::failure::{Failure, Result};
use crate::global::{Format, Global};

/// Standard output, and how to write to it.
///
/// What goes to a terminal has its control characters escaped; what goes anywhere else is written as it is.
#[derive(Debug)]
pub(crate) struct Output {
    writer: BufWriter<Stdout>,
    format: Option<Format>,
    terminal: bool,
    style: Style,
}

impl Output {
    /// As the options say and standard output is.
    pub(crate) fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        let style = Style::new(terminal && !global.no_color);
        Self { writer: BufWriter::new(io::stdout()), format: global.write_out, terminal, style }
    }

    /// The format that was asked for; else simple.
    pub(crate) fn format(&self) -> Format {
        self.format.unwrap_or_default()
    }

    /// The format that was asked for; else a table on a terminal, where a person reads it.
    pub(crate) fn table_format(&self) -> Format {
        self.format.unwrap_or(if self.terminal { Format::Table } else { Format::Simple })
    }

    /// Colours, or none.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Writes a line as it is.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.writer, "{line}").map_err(|error| Failure::output(&error))
    }

    /// Writes a stored text, which may have several lines.
    pub(crate) fn value(&mut self, value: &str) -> Result<()> {
        let value = if self.terminal { escape::text(value) } else { Cow::Borrowed(value) };
        self.line(&value)
    }

    /// A key or name, for a line of its own or a part of one.
    pub(crate) fn shown<'a>(&self, key: &'a str) -> Cow<'a, str> {
        if self.terminal { escape::line(key) } else { Cow::Borrowed(key) }
    }

    /// Writes a document in one line. JSON escapes the control characters of ASCII by itself, but no others.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<()> {
        if self.terminal {
            let text = serde_json::to_string(document).map_err(|error| Failure::output(&error.into()))?;
            return self.line(&escape::json(&text));
        }
        let written = serde_json::to_writer(&mut self.writer, document).map_err(io::Error::from);
        written.and_then(|()| self.writer.write_all(b"\n")).map_err(|error| Failure::output(&error))
    }

    /// Writes a table.
    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        let text = table.render(self.style);
        self.writer.write_all(text.as_bytes()).map_err(|error| Failure::output(&error))
    }

    /// Writes the answer to a keys call; `simple` says what of it is wanted in the simple format.
    pub(crate) fn keys(&mut self, response: &KeysResponse, simple: Simple) -> Result<()> {
        match self.format() {
            Format::Simple => self.simple(response, simple),
            Format::Extended => self.extended(response),
            Format::Json => self.json(response),
            Format::Table => self.table(&table::nodes(response)),
        }
    }

    /// Writes what a watch yields, and hands it on at once: somebody waits for it.
    pub(crate) fn watched(&mut self, key: &str, item: &WatchItem) -> Result<()> {
        match self.format() {
            Format::Simple | Format::Table => self.simple_item(key, item)?,
            Format::Extended => self.extended_item(key, item)?,
            Format::Json => self.json_item(item)?,
        }
        self.finish()
    }

    /// Hands over what is still held back.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.writer.flush().map_err(|error| Failure::output(&error))
    }
}

/// As a script and a shell can read them: everything that begins a line of its own.
impl Output {
    fn json_item(&mut self, item: &WatchItem) -> Result<()> {
        match item {
            WatchItem::Event(event) | WatchItem::AncestorRemoved(event) => self.json(event),
            WatchItem::Resync { snapshot, index, cause } => {
                let resync = serde_json::json!({
                    "resync": { "cause": cause.to_string(), "index": index.get(), "node": snapshot },
                });
                self.json(&resync)
            }
            // A kind of item that a later client may add.
            other => self.line(&serde_json::json!({ "other": format!("{other:?}") }).to_string()),
        }
    }
}
