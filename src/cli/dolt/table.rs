//! Result sets as text: the grid that `MySQL`'s client and Dolt print.

use crate::sql::{Cell, ResultSet};

/// The grid, or what the statement did.
pub(crate) fn render(set: &ResultSet) -> String {
    if set.columns.is_empty() {
        return match set.affected {
            0 => "OK\n".to_owned(),
            1 => "OK, 1 row affected\n".to_owned(),
            n => format!("OK, {n} rows affected\n"),
        };
    }
    let cell = |c: &Cell| c.to_text().unwrap_or_else(|| "NULL".to_owned());
    let head: Vec<String> = set.columns.iter().map(|c| c.name.clone()).collect();
    let body: Vec<Vec<String>> = set.rows.iter().map(|r| r.iter().map(cell).collect()).collect();
    let width_of = |i: usize| {
        let lines =
            body.iter().chain(std::iter::once(&head)).filter_map(|r| r.get(i)).flat_map(|t| t.split('\n'));
        lines.map(|l| l.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width_of).collect();
    let rule: String = widths.iter().fold(String::new(), |line, w| line + "+" + &"-".repeat(w + 2)) + "+\n";
    let mut text = rule.clone() + &row(&head, &widths) + &rule;
    for cells in &body {
        text.push_str(&row(cells, &widths));
    }
    if !body.is_empty() {
        text.push_str(&rule);
    }
    text
}

// A value of several lines takes several lines of the grid.
fn row(cells: &[String], widths: &[usize]) -> String {
    let parts: Vec<Vec<&str>> = cells.iter().map(|c| c.split('\n').collect()).collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(1);
    let mut text = String::new();
    for i in 0..height {
        for (part, width) in parts.iter().zip(widths) {
            let line = part.get(i).copied().unwrap_or_default();
            let pad = width.saturating_sub(line.chars().count());
            text.extend(["| ", line, &" ".repeat(pad), " "]);
        }
        text.push_str("|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Column;

    #[test]
    fn the_grid_holds_nulls_and_line_breaks() {
        let column = |name: &str| Column { name: name.into(), is_number: false };
        let set = ResultSet {
            columns: vec![column("a"), column("bb")],
            rows: vec![vec![Cell::Null, Cell::Text("x\nyyy".into())]],
            affected: 0,
        };
        let want = "+------+-----+\n| a    | bb  |\n+------+-----+\n| NULL | x   |\n|      | yyy |\n+------+-----+\n";
        assert_eq!(render(&set), want);
        assert_eq!(render(&ResultSet { affected: 2, ..ResultSet::default() }), "OK, 2 rows affected\n");
    }
}
