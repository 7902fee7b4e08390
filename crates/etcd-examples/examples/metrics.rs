//! Attempts as metrics: an `Observer` that feeds the `metrics` facade, and a recorder that prints what it was fed.
//!
//! In a program the recorder is an exporter, such as one for Prometheus; the observer stays the same. Runs against
//! the endpoints in the environment, else an etcd in memory behind a member that refuses connections.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_client::{AttemptEnd, AttemptStart, Observer};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, counter, gauge, histogram,
};

/// Attempts under way, attempts by how they ended, and how long they took.
struct Metrics;

impl Observer for Metrics {
    type Attempt = ();

    fn attempt_started(&self, start: &AttemptStart) {
        gauge!("etcd_attempts_under_way").increment(1.0);
        if start.number > 1 {
            counter!("etcd_attempts_repeated_total", "operation" => start.operation).increment(1);
        }
    }

    fn attempt_ended(&self, (): (), end: &AttemptEnd) {
        gauge!("etcd_attempts_under_way").decrement(1.0);
        // Few values each, as labels have to be: no key, no path.
        let result = match (end.status, end.kind) {
            (Some(status), _) => status.as_u16().to_string(),
            (None, Some(kind)) => format!("{kind:?}"),
            (None, None) => "Dropped".to_owned(),
        };
        let outcome = end.outcome.to_string();
        counter!("etcd_attempts_total", "operation" => end.operation, "result" => result, "outcome" => outcome)
            .increment(1);
        histogram!("etcd_attempt_seconds", "operation" => end.operation).record(end.elapsed.as_secs_f64());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let figures = Figures::default();
    metrics::set_global_recorder(figures.clone())?;
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder_behind_a_refusal()?.observer(Metrics).build()?;
    let key = etcd_examples::fresh_key("greeting");

    client.set(&key, "Hello World").ttl(Duration::from_secs(60)).await?;
    client.get(&key).await?;
    let missing = client.get(etcd_examples::fresh_key("missing")).await;
    println!("{}\n", missing.err().map(|error| error.to_string()).unwrap_or_default());
    figures.print();
    Ok(())
}

/// The sum of what each series was fed.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<BTreeMap<String, f64>>>);

impl Figures {
    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
        Arc::new(Series { name: format!("{}{{{}}}", key.name(), labels.join(",")), figures: self.clone() })
    }

    fn print(&self) {
        for (name, value) in self.0.lock().unwrap().iter() {
            println!("{name} {value:.6}");
        }
    }
}

struct Series {
    name: String,
    figures: Figures,
}

impl Series {
    fn add(&self, value: f64) {
        *self.figures.0.lock().unwrap().entry(self.name.clone()).or_default() += value;
    }
}

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Series {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {}
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}
