//! All cases: where each runs, and of what it is asked.

use super::bench::Bench;
use super::messages::Place;
use super::{leftovers, loading};
use playdock_plugin_api::testing::conformance::{self, Unmet, Verdict};

/// A case of this host: one that needs a file or a process.
pub(super) struct OwnCase {
    pub(super) id: &'static str,
    pub(super) description: &'static str,
    pub(super) advice: &'static str,
    pub(super) of_commands: bool,
    pub(super) places: &'static [Place],
    pub(super) ask: fn(&Bench) -> Result<(), Unmet>,
}

pub(super) const BOTH: &[Place] = &[Place::InProcess, Place::Worker];

/// A case of the suite.
pub(crate) struct Listed {
    /// Its id, in kebab case.
    pub(crate) id: &'static str,
    /// What must hold.
    pub(crate) description: &'static str,
    /// What to mend where it doesn't.
    pub(crate) advice: &'static str,
    /// Whether it is asked of each command, or of the library.
    pub(crate) of_commands: bool,
    /// Where the library's code runs for it; nowhere for what is read from the file.
    pub(crate) places: &'static [Place],
    ask: Ask,
}

enum Ask {
    /// The runner looks at the file.
    File,
    Own(fn(&Bench) -> Result<(), Unmet>),
    Shared(&'static conformance::Case),
}

/// The id of the case over what the file needs.
pub(crate) const NEEDED_LIBRARIES: &str = "needed-libraries";
/// The id of the case that all others need.
pub(super) const LOADS: &str = "loads";
/// The id of the case that those over commands need.
pub(super) const DESCRIBES_ITSELF: &str = "describes-itself";
/// The id of the case that needs a standard output to look at.
pub(super) const STANDARD_OUTPUT: &str = "nothing-on-standard-output";

/// All cases, in the order in which they are best read.
pub(crate) fn catalogue() -> Vec<Listed> {
    let file = Listed {
        id: NEEDED_LIBRARIES,
        description: "The library needs no other libraries than the system's C library, and has the \
                      loader do nothing but load it",
        advice: "Link other libraries statically, without folders to search and other things for the \
                 loader to do.",
        of_commands: false,
        places: &[],
        ask: Ask::File,
    };
    let (loading, leftovers) = (loading::CASES.iter(), leftovers::CASES.iter());
    let shared = conformance::cases().map(|case| Listed {
        id: case.id,
        description: case.description,
        advice: case.advice,
        of_commands: case.is_of_commands(),
        places: BOTH,
        ask: Ask::Shared(case),
    });
    [file].into_iter().chain(loading.map(own)).chain(shared).chain(leftovers.map(own)).collect()
}

fn own(case: &'static OwnCase) -> Listed {
    let OwnCase { id, description, advice, of_commands, places, ask } = *case;
    Listed { id, description, advice, of_commands, places, ask: Ask::Own(ask) }
}

impl Listed {
    /// Whether it makes sense only for a library that describes itself.
    pub(super) fn needs_description(&self) -> bool {
        self.of_commands || loading::CASES.iter().any(|case| case.id == self.id)
    }

    /// Tries it, in the process of a case.
    pub(super) fn run(&self, bench: &Bench) -> Verdict {
        match self.ask {
            Ask::File => Verdict::Skipped("It is read from the file.".to_owned()),
            Ask::Own(ask) => ask(bench).into(),
            Ask::Shared(case) => match bench.subject() {
                Ok(subject) => case.run(subject, &bench.job.command, bench.job.amount.effort),
                Err(unmet) => unmet.into(),
            },
        }
    }
}
