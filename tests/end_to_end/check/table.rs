//! Which fixture fails which cases, and no others.

/// The plugin that fails none.
pub(super) const SHIPPED: &str = "close_incident_in_bulk";

/// The commands of the library `nonconforming`, each with the ids of the cases that it fails;
/// followed by the place where it fails in one alone.
pub(super) const COMMANDS: &[(&str, &[&str])] = &[
    ("Conforms", &[]),
    ("LacksATitle", &["described-in-full"]),
    ("HasNoExample", &["has-examples"]),
    ("ContradictsItsExample", &["examples-hold"]),
    ("CallsAnOutputFailed", &["described-in-full"]),
    ("ReturnsOneMore", &["examples-hold"]),
    ("GoesOnWithoutNumbers", &["missing-parameter", "fuzzed-parameters"]),
    ("TakesUnknownNames", &["unknown-parameter"]),
    ("TakesAnyNote", &["wrong-type", "fuzzed-parameters"]),
    ("TakesAnArray", &["not-an-object"]),
    ("StumblesOverBlankText", &["empty-parameters"]),
    ("RepeatsWhatItIsGiven", &["huge-parameters"]),
    ("CrashesWhenDeep", &["deep-parameters"]),
    ("TakesNamesTwice", &["duplicate-parameter"]),
    ("TakesInvalidUtf8", &["invalid-utf8"]),
    ("CutsInsideACharacter", &["fuzzed-parameters"]),
    ("LeavesUnknownOnesOut", &["an-outcome-for-each"]),
    ("CountsPositions", &["row-order"]),
    ("PutsANumberIntoAStatus", &["cells-fit-columns"]),
    ("FailsWithoutAMessage", &["failures-say-why"]),
    // A preview and what comes after a cancellation are other runs.
    ("CountsItsRuns", &["runs-alike", "preview", "cancelled-after"]),
    ("AnswersPreviewsOtherwise", &["preview"]),
    ("GivesUpWhenRefused", &["changed-meanwhile"]),
    ("NeedsTheRightToClose", &["not-permitted"]),
    ("SwallowsErrors", &["host-error-at-each-call"]),
    // At its first page it is about to begin.
    ("StartsAnyway", &["cancelled-before", "cancelled-during"]),
    ("FailsWhenCancelled", &["cancelled-during"]),
    // A worker is told with its next call, and after the last there is none.
    ("RemembersBeingCancelled", &["cancelled-after in-process", "same-execution-again in-process"]),
    ("IgnoresTheDeadline", &["deadline"]),
    ("ForgetsWhatItDid", &["same-execution-again"]),
    ("LeavesAThread", &["no-thread-left"]),
    ("Leaks", &["no-memory-growth"]),
    ("Prints", &["nothing-on-standard-output"]),
];

/// A library, one of its commands, the cases that the library fails, and those that the command
/// does.
type Fixture = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// Libraries that fail as a whole. Their commands do nothing, and say little.
pub(super) const LIBRARIES: &[Fixture] = &[
    ("other_layout", "AnswersNumbers", &["loads"], &[]),
    ("lying", "Innocent", &["identity-agrees"], &[]),
    ("panics_in_describe", "Indescribable", &["describes-itself"], &[]),
    (
        "loads_once",
        "LoadsOnce",
        &["loads-twice", "loads-at-once"],
        &["described-in-full", "has-examples"],
    ),
    (
        "takes_any_request",
        "TakesAnything",
        &["unknown-request", "malformed-request", "unknown-command"],
        &["described-in-full", "has-examples"],
    ),
    (
        "not_a_message",
        "AnswersNothing",
        &["unknown-request"],
        &["described-in-full", "has-examples"],
    ),
];

/// What a library fails that needs another one than the system's.
pub(super) const NEEDS_ANOTHER: &[&str] = &["needed-libraries"];
