//! The same intake from a NATS JetStream cluster: gateways publish to a stream that the cluster keeps on several disks,
//! and a durable consumer hands it over here.
//!
//! A message is acknowledged only after its frame is on disk; until then the cluster delivers it again, to whichever
//! server asks next. What comes twice is known by its frame: a frame that tells neither time nor counter counts as
//! received when the cluster took it, and that moment is the same however often it is delivered.

mod ahead;

use std::{sync::Arc, time::Duration};

use app::signals::intake::{Intake, NotTaken};
use async_nats::{
    Client, ConnectOptions, Event, ServerAddr,
    jetstream::{
        self, AckKind, Context, Message,
        consumer::{AckPolicy, PullConsumer, pull},
        message::Acker,
        stream::{self, StorageType},
    },
};
use domain::time::At;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::carried::{Became, Carried, Courier};

/// Messages that go into the store together.
const TOGETHER: usize = 512;
/// Such bundles under way at once.
const BUNDLES: usize = 8;
/// Messages the cluster hands out before it waits for acknowledgements: what is under way here, and as many on their
/// way.
const UNACKNOWLEDGED_MAX: i64 = 2 * (TOGETHER * BUNDLES) as i64;
/// Without an acknowledgement the cluster delivers again after this: a press that a server took with it when it died is
/// not heard sooner. What is only slow and comes twice is known.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// A stream made here keeps messages so long: alarms count up to 72 hours late.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a stream made here knows a `Nats-Msg-Id`.
const DUPLICATES_KNOWN: Duration = Duration::from_secs(15 * 60);
/// Between two attempts.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest wait before what could not be stored comes again is a second doubled so often.
const DOUBLINGS_MAX: i64 = 4;
/// A cluster's clock that is further ahead is wrong.
const CLOCK_AHEAD_MINUTES: i64 = 5;
/// More copies than this help nobody.
const COPIES_MAX: usize = 3;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A cluster and what is read from it.
#[derive(Debug, Clone)]
pub struct Nats {
    servers: Vec<ServerAddr>,
    stream: String,
    consumer: String,
}

impl Nats {
    /// Reads `nats://a:4222,nats://b:4222`, the name of the stream and that of the durable consumer.
    ///
    /// # Errors
    /// The part that is no address or no name.
    pub fn new(servers: &str, stream: &str, consumer: &str) -> Result<Nats, String> {
        let servers = servers
            .split(',')
            .map(|address| {
                let server: ServerAddr = address.trim().parse().map_err(|e| format!("{address}: {e}"))?;
                if server.host().is_empty() { Err(address.to_owned()) } else { Ok(server) }
            })
            .collect::<Result<Vec<ServerAddr>, String>>()?;
        for name in [stream, consumer] {
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || ".*>/\\".contains(c)) {
                return Err(name.to_owned());
            }
        }
        Ok(Nats { servers, stream: stream.to_owned(), consumer: consumer.to_owned() })
    }
}

/// Carries messages until the runtime ends; whatever breaks, it begins again.
pub(super) async fn carry(nats: Nats, intake: Intake) {
    let client = connect(&nats).await;
    let mut context = jetstream::new(client);
    context.set_timeout(Duration::from_secs(10));
    tokio::spawn(ahead::watch(context.clone(), nats.clone(), intake.clone()));
    let mut said: Option<(String, Instant)> = None;
    loop {
        if let Err(error) = run(&context, &nats, &intake).await {
            let error = error.to_string();
            // An outage is told once a minute, not once a second.
            if said.as_ref().is_none_or(|(was, at)| *was != error || at.elapsed().as_secs() >= 60) {
                tracing::warn!(stream = nats.stream, %error, "no messages from NATS, trying again");
                said = Some((error, Instant::now()));
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn connect(nats: &Nats) -> Client {
    loop {
        let options = ConnectOptions::new()
            .name("xiyang")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tried| Duration::from_millis(100 * (tried.min(20) as u64)))
            .event_callback(|event| async move {
                match event {
                    Event::Connected => tracing::info!("connected to NATS"),
                    Event::Disconnected => tracing::warn!("the connection to NATS is gone, trying again"),
                    other => tracing::debug!(event = %other, "NATS"),
                }
            });
        match options.connect(nats.servers.as_slice()).await {
            Ok(client) => return client,
            Err(error) => tracing::warn!(%error, "no NATS server can be reached, trying again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn run(context: &Context, nats: &Nats, intake: &Intake) -> Result<(), Failed> {
    let consumer = consumer(context, nats).await?;
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(TOGETHER)
        .expires(Duration::from_secs(20))
        .heartbeat(Duration::from_secs(4))
        .messages()
        .await?;
    tracing::info!(stream = nats.stream, consumer = nats.consumer, "taking device messages from NATS");
    let room = Arc::new(Semaphore::new(BUNDLES));
    let mut courier = Courier::new(intake.clone(), format!("nats:{}", nats.stream));
    loop {
        let place = Arc::clone(&room).acquire_owned().await?;
        let Some(first) = messages.next().await else { return Err("the consumer is gone".into()) };
        let mut bundle = Bundle::new(intake, place);
        bundle.message(&mut courier, first?).await;
        let mut broken = None;
        // What has arrived by now goes with it.
        while bundle.taken < TOGETHER
            && let Some(Some(more)) = messages.next().now_or_never()
        {
            match more {
                Ok(message) => bundle.message(&mut courier, message).await,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        bundle.hand_over(&mut courier);
        if let Some(error) = broken {
            return Err(error.into());
        }
    }
}

/// The durable consumer; it and its stream are made when nobody made them before.
async fn consumer(context: &Context, nats: &Nats) -> Result<PullConsumer, Failed> {
    let wanted = stream::Config {
        name: nats.stream.clone(),
        subjects: vec!["devices.>".to_owned()],
        storage: StorageType::File,
        num_replicas: nats.servers.len().clamp(1, COPIES_MAX),
        max_age: KEPT,
        duplicate_window: DUPLICATES_KNOWN,
        ..stream::Config::default()
    };
    let stream = context.get_or_create_stream(wanted).await?;
    let consumer = stream
        .get_or_create_consumer(
            &nats.consumer,
            pull::Config {
                durable_name: Some(nats.consumer.clone()),
                ack_policy: AckPolicy::Explicit,
                ack_wait: ACK_WAIT,
                max_ack_pending: UNACKNOWLEDGED_MAX,
                ..pull::Config::default()
            },
        )
        .await?;
    Ok(consumer)
}

/// Messages that arrived together.
struct Bundle {
    intake: Intake,
    /// Given back when the last of them is stored.
    place: Arc<OwnedSemaphorePermit>,
    runtime: Handle,
    ackers: Vec<(Acker, i64)>,
    taken: usize,
}

impl Bundle {
    fn new(intake: &Intake, place: OwnedSemaphorePermit) -> Bundle {
        let (intake, place) = (intake.clone(), Arc::new(place));
        Bundle { intake, place, runtime: Handle::current(), ackers: Vec::new(), taken: 0 }
    }

    async fn message(&mut self, courier: &mut Courier, message: Message) {
        self.taken += 1;
        let (received_at, delivered) = taken(&message, self.intake.now().0);
        let (message, acker) = message.split();
        let name = name(&message.subject);
        let carried = Carried { name: &name, payload: &message.payload, received_at, retained: false };
        match courier.take(&carried).await {
            Became::Reading => self.ackers.push((acker, delivered)),
            Became::Alarms(alarms) => {
                let (place, runtime) = (Arc::clone(&self.place), self.runtime.clone());
                let done = move |outcome| {
                    runtime.spawn(async move {
                        answer(&acker, delivered, outcome, true).await;
                        drop(place);
                    });
                };
                self.intake.take_alarms(alarms, Box::new(done));
            }
            // It will not become better by coming again.
            Became::Rejected => told(acker.ack_with(AckKind::Term).await),
        }
    }

    fn hand_over(self, courier: &mut Courier) {
        let batch = courier.batch();
        if batch.is_empty() {
            return;
        }
        let Bundle { intake, place, runtime, ackers, .. } = self;
        let done = move |outcome| {
            runtime.spawn(async move {
                for (acker, delivered) in &ackers {
                    answer(acker, *delivered, outcome, false).await;
                }
                drop(place);
            });
        };
        intake.take_readings(batch, Box::new(done));
    }
}

/// When the cluster took a message, and how often it was delivered.
fn taken(message: &Message, now: At) -> (At, i64) {
    message.info().map_or((now, 1), |info| {
        let micros = i64::try_from(info.published.unix_timestamp_nanos() / 1_000).unwrap_or(now.0);
        // The same at every delivery, unless the cluster's clock is nothing to go by.
        let ahead = micros > now.plus_minutes(CLOCK_AHEAD_MINUTES).0;
        (if ahead { now } else { At(micros) }, info.delivered)
    })
}

/// `devices.watch.8800000015` as other doors write it; a serial may hold dots.
fn name(subject: &str) -> String {
    subject.splitn(3, '.').collect::<Vec<_>>().join("/")
}

/// Acknowledges what is stored; what is not comes again, later each time. An alarm's acknowledgement is confirmed by
/// the cluster, so that it does not come again; a reading's that is lost costs one delivery more, which is cheaper than
/// a question for each.
async fn answer(acker: &Acker, delivered: i64, outcome: Result<(), NotTaken>, confirmed: bool) {
    let answered = match outcome {
        Ok(()) if confirmed => acker.double_ack().await,
        Ok(()) => acker.ack().await,
        Err(_) => acker.ack_with(AckKind::Nak(Some(later(delivered)))).await,
    };
    told(answered);
}

/// One second after the first attempt, two after the second, up to sixteen.
fn later(delivered: i64) -> Duration {
    Duration::from_secs(1 << (delivered - 1).clamp(0, DOUBLINGS_MAX))
}

fn told(answered: Result<(), async_nats::Error>) {
    if let Err(error) = answered {
        tracing::debug!(%error, "an acknowledgement did not reach NATS; the message comes again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_by_its_servers() {
        let nats = Nats::new("nats://a:4222, nats://u:p@b", "DEVICES", "xiyang").unwrap();
        assert_eq!(nats.servers.len(), 2);
        assert_eq!((nats.servers[1].port(), nats.servers[1].username()), (4222, Some("u")));
        assert!(Nats::new("nats://", "DEVICES", "xiyang").is_err());
        for name in ["", "a.b", "a b", "a>"] {
            assert!(Nats::new("nats://a", name, "xiyang").is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_not_stored_comes_again_later_each_time() {
        let seconds: Vec<u64> = [0, 1, 2, 3, 7, 100].into_iter().map(|n| later(n).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 16, 16]);
    }
}
