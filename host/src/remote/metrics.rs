//! What the server counts, in the text format of Prometheus.

use crate::execution::{Answer, Ended, Host};
use playdock_plugin_api::OutcomeResult;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The type of a page of metrics.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a millisecond to ten minutes.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExecutionLabels {
    command: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IncidentLabels {
    command: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: &'static str,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// What the server counts.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_durations: Durations<RouteLabel>,
    executions: Family<ExecutionLabels, Counter>,
    execution_durations: Histogram,
    incidents: Family<IncidentLabels, Counter>,
    workers_lost: Counter,
    commits: Counter,
}

impl Metrics {
    pub(super) fn new() -> Metrics {
        let durations: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Metrics {
            registry: Registry::with_prefix("playdock"),
            requests: Family::default(),
            request_durations: Family::new_with_constructor(durations),
            executions: Family::default(),
            execution_durations: Histogram::new(BUCKETS),
            incidents: Family::default(),
            workers_lost: Counter::default(),
            commits: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests that were answered", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "How long requests took",
            Unit::Seconds,
            metrics.request_durations.clone(),
        );
        registry.register("executions", "Executions that ended", metrics.executions.clone());
        registry.register_with_unit(
            "execution_duration",
            "How long executions took",
            Unit::Seconds,
            metrics.execution_durations.clone(),
        );
        registry.register(
            "incidents",
            "Incidents by what a command did: closed is done, already closed is unchanged",
            metrics.incidents.clone(),
        );
        registry.register(
            "worker_restarts",
            "Workers that ended before they had answered, and were replaced",
            metrics.workers_lost.clone(),
        );
        registry.register(
            "commits",
            "Commits of the store by this server; many requests share one",
            metrics.commits.clone(),
        );
        metrics
    }

    pub(super) fn request(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.request_durations.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    }

    /// Counts an execution that ran to its end, or was interrupted. A repeated answer isn't one.
    pub(super) fn execution(&self, command: &str, answer: &Answer, took: Duration) {
        if answer.replayed {
            return;
        }
        let outcome = match answer.ended {
            Ended::Finished => answer.return_data.as_str(),
            Ended::Cancelled => "cancelled",
            Ended::DeadlinePassed => "deadline passed",
            Ended::HostStopped => "host stopped",
            Ended::CommandBroke => "command broke",
            Ended::StoreFailed => "store failed",
        };
        let command = command.to_owned();
        self.executions.get_or_create(&ExecutionLabels { command: command.clone(), outcome }).inc();
        self.execution_durations.observe(took.as_secs_f64());
        let (mut done, mut unchanged, mut failed) = (0, 0, 0);
        for row in answer.report.iter().flat_map(|report| report.rows()) {
            match (row.row.result, &row.row.reason) {
                (OutcomeResult::Successful, None) => done += 1,
                (OutcomeResult::Successful, Some(_)) => unchanged += 1,
                (OutcomeResult::Failed, _) => failed += 1,
            }
        }
        for (outcome, count) in [("done", done), ("unchanged", unchanged), ("failed", failed)] {
            if count > 0 {
                let labels = IncidentLabels { command: command.clone(), outcome };
                self.incidents.get_or_create(&labels).inc_by(count);
            }
        }
    }

    /// All of it, as text.
    pub(super) fn text(&self, host: &Host) -> String {
        self.workers_lost.inner().store(host.workers_lost(), Ordering::Relaxed);
        self.commits.inner().store(host.commits(), Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a text can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
