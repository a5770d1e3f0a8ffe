//! Presses past a full disk: readings that cannot be stored stay with the cluster and are handed out again and again, and
//! what stands behind them would not be handed out at all. While the disk is full the stream is therefore read once more
//! from the first message that is not acknowledged, for its alarms only. The durable consumer delivers them in their turn
//! too, and then they are there.

use std::time::Duration;

use app::signals::intake::Intake;
use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use futures_util::StreamExt as _;
use tokio::{sync::oneshot, time::timeout};

use super::{Failed, Nats, TOGETHER, name, taken};
use crate::intake::carried::{Became, Carried, Courier};

/// How often it is looked whether the disk is full.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The cluster forgets a reader that is gone after this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Reads ahead whenever the disk is full, until the runtime ends.
pub(super) async fn watch(context: Context, nats: Nats, intake: Intake) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if !intake.status().disk_full {
            continue;
        }
        if let Err(error) = alarms(&context, &nats, &intake).await {
            tracing::warn!(%error, "reading ahead for alarms in NATS");
        }
    }
}

async fn alarms(context: &Context, nats: &Nats, intake: &Intake) -> Result<(), Failed> {
    let stream = context.get_stream(&nats.stream).await?;
    let durable = stream.consumer_info(&nats.consumer).await?;
    let start_sequence = durable.ack_floor.stream_sequence + 1;
    let reader: PullConsumer = stream
        .create_consumer(pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            ..pull::Config::default()
        })
        .await?;
    let mut messages = reader
        .stream()
        .max_messages_per_batch(TOGETHER)
        .expires(Duration::from_secs(20))
        .heartbeat(Duration::from_secs(4))
        .messages()
        .await?;
    tracing::warn!(from = start_sequence, "the disk is full: reading ahead in NATS for alarms");
    let mut courier = Courier::for_alarms(intake.clone());
    while intake.status().disk_full {
        let Ok(next) = timeout(LOOK_EVERY, messages.next()).await else { continue };
        let message = next.ok_or("the reader is gone")??;
        let (received_at, _) = taken(&message, intake.now().0);
        let name = name(&message.subject);
        let carried = Carried { name: &name, payload: &message.payload, received_at, retained: false };
        if let Became::Alarms(alarms) = courier.take(&carried).await {
            let (send, stored) = oneshot::channel();
            let done = move |outcome| {
                let _ = send.send(outcome);
            };
            intake.take_alarms(alarms, Box::new(done));
            // What is not stored now comes with the durable consumer.
            let _ = stored.await;
        }
        drop(courier.batch());
    }
    Ok(())
}
