//! The incidents that a statement is to touch. Where they lie close together it walks over all from
//! the first to the last, which costs less than a search for each.

use rusqlite::ToSql;
use rusqlite::types::{Null, Value};
use std::rc::Rc;

/// At most so many incidents are passed over for each that is picked; a search costs about as much.
const MOST_PASSED_OVER: usize = 3;

/// Incidents by their ids.
pub(super) struct Picked {
    ids: Vec<i64>,
    first: i64,
    last: i64,
    which: Which,
}

/// Which of those from the first to the last are picked.
enum Which {
    /// All.
    All,
    /// For each, whether it is: where they lie close together.
    Marked(Vec<u8>),
    /// They, as `rarray` takes them: where they don't.
    Listed(Rc<Vec<Value>>),
}

impl Picked {
    /// These, of which none is there twice.
    pub(super) fn new(ids: Vec<i64>) -> Picked {
        let (first, last) = match (ids.iter().min(), ids.iter().max()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (0, 0),
        };
        let span = last.checked_sub(first).and_then(|span| usize::try_from(span).ok());
        let which = match span {
            Some(span) if span + 1 == ids.len() => Which::All,
            Some(span) if span / (MOST_PASSED_OVER + 1) < ids.len() => {
                let mut marks = vec![0; span + 1];
                for mark in ids.iter().filter_map(|id| usize::try_from(id - first).ok()) {
                    marks[mark] = 1;
                }
                Which::Marked(marks)
            }
            _ => Which::Listed(as_list(&ids)),
        };
        Picked { ids, first, last, which }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ids.len()
    }

    /// They.
    pub(super) fn into_ids(self) -> Vec<i64> {
        self.ids
    }

    /// They, as `rarray` takes them.
    pub(super) fn list(&self) -> Rc<Vec<Value>> {
        match &self.which {
            Which::Listed(list) => list.clone(),
            _ => as_list(&self.ids),
        }
    }

    /// The condition on `incident` that they fulfil, with [parameters](Picked::parameters) ?1 to ?3.
    pub(super) fn condition(&self) -> &'static str {
        match self.which {
            Which::All => "id BETWEEN ?1 AND ?2 AND ?3 IS NULL",
            Which::Marked(_) => "id BETWEEN ?1 AND ?2 AND substr(?3, id - ?1 + 1, 1) = x'01'",
            Which::Listed(_) => "id IN rarray(?3)",
        }
    }

    /// The first three parameters of a statement with the condition.
    pub(super) fn parameters(&self) -> [&dyn ToSql; 3] {
        let third: &dyn ToSql = match &self.which {
            Which::All => &Null,
            Which::Marked(marks) => marks,
            Which::Listed(list) => list,
        };
        [&self.first, &self.last, third]
    }
}

fn as_list(ids: &[i64]) -> Rc<Vec<Value>> {
    Rc::new(ids.iter().map(|id| Value::from(*id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn those_that_are_picked_are_touched_and_no_others_near_each_other_or_far_apart() {
        let connection = Connection::open_in_memory().unwrap();
        rusqlite::vtab::array::load_module(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE incident (id INTEGER PRIMARY KEY);
                 WITH RECURSIVE id (id) AS (SELECT -20 UNION ALL SELECT id + 1 FROM id WHERE id < 99)
                 INSERT INTO incident SELECT id FROM id",
            )
            .unwrap();
        let extremes = [i64::MIN, -3, i64::MAX].to_vec();
        let lists = [1, 2, 4, 5, 17].map(|step| (-15..60).step_by(step).collect());
        for ids in lists.into_iter().chain([vec![], vec![7], vec![40, 3, 4], extremes]) {
            let picked = Picked::new(ids.clone());
            let statement = format!("SELECT id FROM incident WHERE {}", picked.condition());
            let mut statement = connection.prepare(&statement).unwrap();
            let found = statement.query_map(picked.parameters(), |row| row.get(0)).unwrap();
            let found: Vec<i64> = found.collect::<Result<_, _>>().unwrap();
            let mut expected = ids.clone();
            expected.retain(|id| (-20..100).contains(id));
            expected.sort_unstable();
            assert_eq!(found, expected);
            assert_eq!((picked.count(), picked.list().len()), (ids.len(), ids.len()));
        }
        assert!(matches!(Picked::new((0..9).collect()).which, Which::All));
        assert!(matches!(Picked::new(vec![0, 1, 3]).which, Which::Marked(_)));
        assert!(matches!(Picked::new(vec![0, 9]).which, Which::Listed(_)));
    }
}
