//! News for open pages: one stream a desk, fed from the outbox.
//!
//! The hub wakes after every commit that told something (and every half second, for what other processes committed),
//! reads the outbox once and hands each piece to every open stream, which passes on what its actor may see.

use std::{convert::Infallible, sync::Arc, time::Duration};

use app::{
    evidence::{self, Told},
    store::{Fault, Store},
};
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::access::{Act, Actor};
use futures_util::{Stream, StreamExt};
use tokio::sync::{Notify, broadcast, watch};
use tokio_stream::wrappers::BroadcastStream;

use crate::present::Present;

/// Pieces of news a slow page may lag behind before it is told to load afresh.
const BACKLOG: usize = 4_096;
/// Pieces read from the outbox at once.
const BATCH: i64 = 1_000;

/// The hub.
#[derive(Debug)]
pub struct Live {
    news: broadcast::Sender<Arc<Told>>,
    ended: watch::Sender<bool>,
    present: Present,
}

impl Live {
    /// Starts the hub on the current runtime.
    pub fn start(store: Store) -> Live {
        let (news, _) = broadcast::channel(BACKLOG);
        let bell = Arc::new(Notify::new());
        let rung = Arc::clone(&bell);
        store.on_told(move || bell.notify_one());
        // Where the news begins is settled before anybody is served: whatever happens from here on is told.
        let seq = store.read(evidence::told_last).ok();
        tokio::spawn(follow(store, seq, news.clone(), rung));
        Live { news, ended: watch::Sender::new(false), present: Present::default() }
    }

    /// Ends every open stream, now and later: a server that closes must not wait for pages that stay open.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    /// All news from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Told>> {
        self.news.subscribe()
    }

    /// Who has a page open.
    pub fn present(&self) -> &Present {
        &self.present
    }

    /// The stream of one page: events named by topic (dots become dashes), data = id of the subject.
    ///
    /// A page that lagged behind gets the event `reload`.
    pub fn stream(&self, actor: Arc<Actor>) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let mut ended = self.ended.subscribe();
        let ended = async move { drop(ended.wait_for(|ended| *ended).await) };
        let news = BroadcastStream::new(self.news.subscribe()).take_until(Box::pin(ended));
        let seat = self.present.enter(Arc::clone(&actor));
        let whose = actor.account.0;
        // Whoever signed out, was sent away or has another post hears nothing more; a page still signed in comes again.
        // So does one that fell behind, for it may have missed just that.
        let mut behind = false;
        let news = news.take_while(move |told| {
            let over = told.as_ref().is_ok_and(|told| told.subject == whose && ends(&told.topic));
            let goes_on = !over && !behind;
            behind |= told.is_err();
            std::future::ready(goes_on)
        });
        let events = news.filter_map(move |told| {
            // The seat is left when the page closes and the stream is dropped with it.
            let _ = &seat;
            let event = match told {
                Err(_) => Some(Event::default().event("reload").data("")),
                Ok(told) => visible(&actor, &told).then(|| {
                    Event::default().event(told.topic.replace('.', "-")).data(told.subject.to_string())
                }),
            };
            std::future::ready(event.map(Ok))
        });
        Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
    }
}

/// Whether an account that hears this may no longer be who it was.
fn ends(topic: &str) -> bool {
    ["signed_out", "session_ended", "closed", "post_ended", "password_set", "password_changed"]
        .iter()
        .any(|act| topic.strip_prefix("account.") == Some(act))
}

/// News of a place goes to those who see the place, news of accounts only to those who administer them. A full disk is
/// everybody's.
fn visible(actor: &Actor, told: &Told) -> bool {
    if told.topic.starts_with("intake.") {
        return true;
    }
    let sees = told.region.is_none_or(|region| actor.sees(region));
    let accounts = told.region.is_none() || told.topic.starts_with("account.");
    sees && (!accounts || actor.may(Act::Administer).is_ok())
}

async fn follow(store: Store, mut seq: Option<i64>, news: broadcast::Sender<Arc<Told>>, bell: Arc<Notify>) {
    loop {
        let (send, receive) = tokio::sync::oneshot::channel();
        let after = seq;
        store.read_then(
            move |tx| match after {
                None => Ok::<_, Fault>((evidence::told_last(tx)?, Vec::new())),
                Some(after) => Ok((after, evidence::told_after(tx, after, BATCH)?)),
            },
            move |answer| drop(send.send(answer)),
        );
        match receive.await {
            Ok(Ok((from, told))) => {
                seq = Some(told.last().map_or(from, |t| t.seq));
                let more = told.len() as i64 == BATCH;
                for piece in told {
                    let _ = news.send(Arc::new(piece));
                }
                if more {
                    continue;
                }
            }
            Ok(Err(fault)) => tracing::warn!(%fault, "reading the outbox"),
            Err(_) => return,
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), bell.notified()).await;
        // Gather what a burst commits within a moment, so that the outbox is not read once per commit.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
