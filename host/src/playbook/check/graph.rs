//! Checks the way through the workflow: no step is run twice, none is never reached.
//!
//! Every step but an `end` has a next one, so without cycles an `end` is reached from everywhere.

use crate::playbook::plan::{PlannedStep, Work};
use crate::playbook::problem::Problem;

/// Reports cycles, and steps that nothing leads to.
pub(super) fn check(
    steps: &[PlannedStep],
    start: usize,
    exception: Option<usize>,
    problems: &mut Vec<Problem>,
) {
    if let Some(cycle) = cycle(steps) {
        let mut ids: Vec<_> = cycle.iter().map(|index| format!("`{}`", steps[*index].id)).collect();
        ids.extend(ids.first().cloned());
        let message = format!("these steps lead in a circle: {}; break it", ids.join(" to "));
        problems.push(Problem::at(&["workflow", &steps[cycle[0]].id], message));
    }
    let reached = reached(steps, [start].into_iter().chain(exception));
    for step in steps.iter().zip(&reached).filter(|(_, reached)| !**reached).map(|(step, _)| step) {
        let message = "no step leads here; link to it or remove it";
        problems.push(Problem::at(&["workflow", &step.id], message));
    }
}

/// Gives each action without an `on_failure` the exception step, save those that it leads to.
pub(super) fn take_exception_step(steps: &mut [PlannedStep], exception: Option<usize>) {
    let handled = reached(steps, exception);
    for (step, _) in steps.iter_mut().zip(handled).filter(|(_, handled)| !handled) {
        if let Work::Action(action) = &mut step.work {
            action.on_failure = action.on_failure.or(exception);
        }
    }
}

/// The steps that a step links to.
fn links(step: &PlannedStep) -> impl DoubleEndedIterator<Item = usize> {
    let (next, on_failure) = match &step.work {
        Work::Start(next) => (Some(*next), None),
        Work::Action(action) => (Some(action.on_success), action.on_failure),
        Work::End => (None, None),
    };
    next.into_iter().chain(on_failure)
}

/// For each step, whether one of `from` leads to it.
fn reached(steps: &[PlannedStep], from: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; steps.len()];
    let mut waiting: Vec<_> = from.into_iter().collect();
    while let Some(index) = waiting.pop() {
        if !reached[index] {
            reached[index] = true;
            waiting.extend(links(&steps[index]));
        }
    }
    reached
}

/// The steps of one cycle, in their order.
fn cycle(steps: &[PlannedStep]) -> Option<Vec<usize>> {
    let mut done = vec![false; steps.len()];
    for first in 0..steps.len() {
        // The way from `first` to where the search is, each step with the links left to follow.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut entering = (!done[first]).then_some(first);
        loop {
            if let Some(index) = entering.take() {
                if let Some(begin) = way.iter().position(|(on_way, _)| *on_way == index) {
                    return Some(way[begin..].iter().map(|(index, _)| *index).collect());
                }
                if !done[index] {
                    way.push((index, links(&steps[index]).rev().collect()));
                }
            }
            let Some((index, left)) = way.last_mut() else {
                break;
            };
            match left.pop() {
                Some(next) => entering = Some(next),
                None => {
                    done[*index] = true;
                    way.pop();
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
