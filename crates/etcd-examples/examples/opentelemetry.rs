//! Attempts as OpenTelemetry spans: an `Observer` that opens a span for each and closes it with how it ended.
//!
//! Needs no `tracing`. In a program the exporter is one for OTLP; here it keeps the spans, and they are printed at the
//! end. Runs against an etcd in memory that ends with it.

use std::error::Error;
use std::net::TcpListener;

use etcd_client::v2::Client;
use etcd_client::{AttemptEnd, AttemptStart, Observer};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{MemoryEtcd, Profile};
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
    let memory = MemoryEtcd::builder().profile(Profile::V3_5).start().await?;
    // Nobody listens there, so that the first call takes two attempts.
    let refusing = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let client = Client::builder()
        .endpoints([refusing.to_string()])
        .endpoints(memory.endpoints())
        .observer(Spans { tracer: provider.tracer("etcd") })
        .build()?;

    client.set("/greeting", "Hello World").await?;
    println!("{}\n", client.get("/greeting").await?.node.text());

    provider.force_flush()?;
    for span in exporter.get_finished_spans()? {
        println!("{} ({:?})", span.name, span.status);
        for attribute in &span.attributes {
            println!("    {} = {}", attribute.key, attribute.value);
        }
    }
    Ok(())
}
