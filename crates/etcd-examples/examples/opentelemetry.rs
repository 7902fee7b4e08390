//! Attempts as OpenTelemetry spans: an `Observer` that opens a span for each and closes it with how it ended.
//!
//! Needs no `tracing`. In a program the exporter is one for OTLP; here it keeps the spans, and they are printed at the
//! end. Runs against the endpoints in the environment, else an etcd in memory behind a member that refuses connections.

use std::error::Error;
use std::time::Duration;

use etcd_client::{AttemptEnd, AttemptStart, Observer};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, Span};

/// Opens a client span for each attempt, as a child of whatever span is active in the task.
struct Spans {
    tracer: SdkTracer,
}

impl Observer for Spans {
    type Attempt = Span;

    fn attempt_started(&self, start: &AttemptStart) -> Span {
        let attributes = vec![
            KeyValue::new("db.system.name", "etcd"),
            KeyValue::new("db.operation.name", start.operation),
            KeyValue::new("etcd.attempt", i64::try_from(start.number).unwrap_or(i64::MAX)),
        ];
        let span = self.tracer.span_builder(format!("etcd {}", start.operation));
        span.with_kind(SpanKind::Client).with_attributes(attributes).start(&self.tracer)
    }

    fn attempt_ended(&self, mut span: Span, end: &AttemptEnd) {
        if let Some(endpoint) = &end.endpoint {
            span.set_attribute(KeyValue::new("server.address", endpoint.host().to_owned()));
            span.set_attribute(KeyValue::new("server.port", i64::from(endpoint.port())));
        }
        if let Some(status) = end.status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        // The question of a writer, and what no other span would tell.
        span.set_attribute(KeyValue::new("etcd.outcome", end.outcome.to_string()));
        if let Some(kind) = end.kind {
            span.set_attribute(KeyValue::new("error.type", format!("{kind:?}")));
            span.set_status(Status::error(format!("{kind:?}")));
        } else if end.dropped {
            span.set_status(Status::error("dropped"));
        }
        span.end();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let etcd = etcd_examples::cluster().await?;
    let client =
        etcd.builder_behind_a_refusal()?.observer(Spans { tracer: provider.tracer("etcd") }).build()?;
    let key = etcd_examples::fresh_key("greeting");

    client.set(&key, "Hello World").ttl(Duration::from_secs(60)).await?;
    println!("{}\n", client.get(&key).await?.node.text());

    provider.force_flush()?;
    for span in exporter.get_finished_spans()? {
        println!("{} ({:?})", span.name, span.status);
        for attribute in &span.attributes {
            println!("    {} = {}", attribute.key, attribute.value);
        }
    }
    Ok(())
}
