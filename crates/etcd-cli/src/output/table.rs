//! Tables: columns as wide as they have to be, no frame, so that they can be cut out and sorted.

use etcd_client::v2::KeysResponse;

use super::{Style, escape};

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub(crate) fn new(head: impl IntoIterator<Item = &'static str>) -> Self {
        Self { head: head.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row; control characters would tear the columns apart and are escaped.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        let cells = cells.into_iter().map(|cell| escape::line(cell.as_ref()).into_owned());
        self.rows.push(cells.collect());
    }

    /// The whole as text.
    pub(crate) fn render(&self, style: Style) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widths = cells.map(|cell| cell.chars().count());
            widths.chain([self.head[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.head.len()).map(width).collect();
        let mut text = style.head(&line(&self.head, &widths));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&line(row, &widths));
            text.push('\n');
        }
        text
    }
}

/// Cells side by side, with nothing behind the last.
fn line(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, &width)| format!("{:width$}", cell.as_ref()));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// The nodes of an answer: a directory's children, or the key itself.
pub(super) fn nodes(response: &KeysResponse) -> Table {
    let mut table = Table::new(["KEY", "VALUE", "TTL", "CREATED", "MODIFIED"]);
    let skip = usize::from(response.node.dir && response.action == etcd_client::v2::Action::Get);
    for node in response.node.walk().skip(skip) {
        let slash = if node.dir && !node.key.is_root() { "/" } else { "" };
        table.row([
            &format!("{}{slash}", node.key),
            node.text(),
            &node.ttl.map(|ttl| ttl.to_string()).unwrap_or_default(),
            &node.created_index.to_string(),
            &node.modified_index.to_string(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["A", "LONG"]);
        table.row(["grün", "x"]);
        table.row(["a\nb", ""]);
        assert_eq!(table.render(Style::new(false)), "A     LONG\ngrün  x\na\\nb\n");
    }
}
