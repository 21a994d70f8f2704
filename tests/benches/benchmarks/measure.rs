//! Measuring in turns: whatever else the machine does meanwhile hits all alike.

use std::time::{Duration, Instant};

/// One of the things that are compared.
pub(crate) type Contender<'a> = &'a mut dyn FnMut() -> Duration;

/// The shortest of so many measurements of each contender, which take turns.
pub(crate) fn side_by_side<const N: usize>(
    rounds: usize,
    mut contenders: [Contender<'_>; N],
) -> [Duration; N] {
    let mut shortest = [Duration::MAX; N];
    for _ in 0..rounds {
        for (contender, shortest) in contenders.iter_mut().zip(&mut shortest) {
            *shortest = (*shortest).min(contender());
        }
    }
    shortest
}

/// How long one call takes, on average of so many.
pub(crate) fn each(calls: u32, mut call: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..calls {
        call();
    }
    began.elapsed() / calls
}

/// How long something takes.
pub(crate) fn once(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// How many times as long one time is as another.
pub(crate) fn ratio(time: Duration, of: Duration) -> f64 {
    time.as_secs_f64() / of.as_secs_f64()
}
