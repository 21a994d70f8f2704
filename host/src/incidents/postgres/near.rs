//! Incidents that lie close together, which are found by a walk: one search for the first, and a step
//! for each to the last.

/// At most so many incidents are passed over for each that is wanted; a search costs about as much.
const MOST_PASSED_OVER: u64 = 2;

/// The first and the last of incidents, in the order of their keys, where they lie close together.
/// One is found as quickly by itself.
pub(super) fn span(keys: &[i64]) -> Option<(i64, i64)> {
    let (first, last) = (*keys.first()?, *keys.last()?);
    let near = last.abs_diff(first) / (MOST_PASSED_OVER + 1) < keys.len() as u64;
    (near && first < last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_close_together_has_a_span() {
        assert_eq!(span(&[4, 5, 9, 12]), Some((4, 12)));
        assert_eq!(span(&[1, 12]), None);
        assert_eq!(span(&[i64::MIN, i64::MAX]), None);
        assert_eq!((span(&[]), span(&[7]), span(&[7, 7])), (None, None, None));
    }
}
