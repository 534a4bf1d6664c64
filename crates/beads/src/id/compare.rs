//! The order of ids in lists that are sorted by id: numbers within them count as numbers.

use std::cmp::Ordering;

/// By the parts between dots and hyphens, numbers by value, other parts by bytes; so `x-a.4` comes before `x-a.10`
/// (bd `utils.NaturalCompareIDs`).
pub fn natural(a: &str, b: &str) -> Ordering {
    let (left, right) = (parts(a), parts(b));
    for (a, b) in left.iter().zip(&right).filter(|(a, b)| a != b) {
        let order = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn parts(id: &str) -> Vec<&str> {
    id.split(['.', '-']).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut ids = ["x-a.10", "x-b", "x-a.4", "x-a", "x-a.4.1", "w-z"];
        ids.sort_by(|a, b| natural(a, b));
        assert_eq!(ids, ["w-z", "x-a", "x-a.4", "x-a.4.1", "x-a.10", "x-b"]);
        assert_eq!(natural("x-07", "x-7"), Ordering::Equal);
    }
}
