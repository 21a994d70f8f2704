//! What the command holds in memory while it runs doesn't grow with the number of incidents.

use crate::CloseIncidentInBulk;
use crate::parameters::Parameters;
use playdock_plugin_api::parameters::TextList;
use playdock_plugin_api::{
    Actor, Change, ContextError, Execution, Facts, Finished, Incident, IncidentContext,
    IncidentPage, Outcome, Reason, Recording, Refusal, RequiredTask, Site, Status, Timestamp,
    UtilityCommand,
};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// How many incidents a page has: each run has many pages, and all are full.
const PAGE: u64 = 250;

thread_local! {
    /// How many bytes this thread holds, and how many at most so far.
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, which counts what each thread holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What was taken by one thread may be given back by another: the count may pass below zero.
fn count(taken: usize, given_back: usize) {
    // A thread that ends gives things back after its counter is gone.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        let now = now.wrapping_add(taken).wrapping_sub(given_back);
        let below_zero = now > usize::MAX / 2;
        held.set((now, if below_zero { most } else { most.max(now) }));
    });
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the promises that `alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller got the pointer here, and so from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: the caller got the pointer here, and so from the system's allocator.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// Incidents that are made when they are looked at, and forgotten at once.
struct Endless {
    execution: Execution,
    selected: u64,
    given_out: u64,
    recorded: u64,
}

impl Endless {
    fn new() -> Endless {
        let site = Site { name: "Security Operations".to_owned(), time_zone: "UTC".to_owned() };
        let mut actor = Actor::new("admin user");
        actor.may_close = true;
        Endless {
            execution: Execution::new("test", site, actor),
            selected: 0,
            given_out: 0,
            recorded: 0,
        }
    }
}

/// One of ten has a required task that is pending, one of ten doesn't exist.
fn incident(position: u64, version: u64) -> Incident {
    let task = RequiredTask { title: "Reset password".to_owned(), status: "Pending".to_owned() };
    let mut facts = Facts::new(Status::Open, version);
    facts.required_tasks.extend((position % 10 == 1).then_some(task));
    let facts = (position % 10 != 2).then_some(facts);
    Incident::new(position, format!("INC-{position:09}"), facts)
}

impl IncidentContext for Endless {
    fn execution(&self) -> &Execution {
        &self.execution
    }

    fn select(&mut self, numbers: &TextList<'_>) -> Result<u64, ContextError> {
        self.selected = numbers.iter().count() as u64;
        Ok(self.selected)
    }

    fn next_page(&mut self) -> Result<Option<IncidentPage>, ContextError> {
        let end = self.selected.min(self.given_out + PAGE);
        let incidents: Vec<Incident> = (self.given_out..end).map(|it| incident(it, 1)).collect();
        self.given_out = end;
        Ok((!incidents.is_empty())
            .then_some(IncidentPage { as_of: Timestamp::from_milliseconds(0), incidents }))
    }

    fn record(&mut self, recording: &Recording<'_>) -> Result<Vec<Refusal>, ContextError> {
        // One of ten changes between the first look and the change.
        let changed = |it: &Outcome| {
            let first_look = matches!(it.change, Some(Change::Close { version: 1, .. }));
            first_look && it.position % 10 == 3
        };
        let refusal = |outcome: &Outcome| Refusal {
            reason: Reason::CHANGED_MEANWHILE,
            message: String::new(),
            incident: incident(outcome.position, 2),
        };
        let refused: Vec<Refusal> =
            recording.outcomes.iter().filter(|it| changed(it)).map(refusal).collect();
        self.recorded += (recording.outcomes.len() - refused.len()) as u64;
        Ok(refused)
    }

    fn progress(&mut self, _done: u64, _total: u64) -> Result<(), ContextError> {
        Ok(())
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The most bytes that the command holds at once while it closes so many incidents, beside the
/// parameters, which belong to the request.
fn most_bytes_held(incidents: u64) -> (usize, Finished) {
    let numbers: Vec<String> = (0..incidents).map(|it| format!("INC-{it:09}")).collect();
    let request = json!({
        "Incident Numbers": numbers,
        "Bypass Required Pending Tasks": "No",
        "Conclusion": "Closed in bulk."
    });
    let request = request.to_string();
    drop(numbers);
    let mut context = Endless::new();

    HELD.with(|held| held.set((0, 0)));
    let parameters: Parameters<'_> = serde_json::from_str(&request).unwrap();
    let finished = CloseIncidentInBulk::run(parameters, &mut context).unwrap();
    let (_, most) = HELD.with(Cell::get);

    assert_eq!(context.recorded, incidents);
    (most, finished)
}

#[test]
fn a_hundred_times_the_incidents_take_the_same_memory() {
    let (few, _) = most_bytes_held(1_000);
    let (many, finished) = most_bytes_held(100_000);
    assert!(finished.error.starts_with("20000 of 100000 "), "{}", finished.error);
    assert!(few > 10_000, "the pages are counted: {few}");
    assert!(many <= few + 1024, "{few} bytes for 1,000, {many} for 100,000");
}
