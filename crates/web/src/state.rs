//! What every handler can reach.

use std::sync::{Arc, OnceLock, Weak};

use app::{
    evidence::Told,
    outcome::No,
    signals::intake::Intake,
    store::{Conflicting, Fault, Store, Tx},
};
use domain::time::Now;
use tokio::sync::{broadcast, oneshot};

use crate::{identity::Identities, live::Live};

/// A demo persona: somebody a visitor may sign in as, in demo mode only.
#[derive(Debug, Clone)]
pub struct Persona {
    /// Account name.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Role, in words.
    pub role: String,
    /// One line about what can be tried.
    pub hint: String,
}

/// What exists in demo mode only.
#[derive(Debug, Clone, Default)]
pub struct Demo {
    /// Whom a visitor may sign in as.
    pub personas: Vec<Persona>,
}

struct Inner {
    store: Store,
    clock: Box<dyn Fn() -> Now + Send + Sync>,
    random: Box<dyn Fn(&mut [u8]) + Send + Sync>,
    demo: Option<Demo>,
    live: Live,
    identities: Identities,
    signals: OnceLock<Intake>,
}

/// The application as handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl App {
    /// Ties the store to the outside: the clock, a source of randomness for tokens, and the demo if this is one.
    pub fn new(
        store: Store,
        clock: impl Fn() -> Now + Send + Sync + 'static,
        random: impl Fn(&mut [u8]) + Send + Sync + 'static,
        demo: Option<Demo>,
    ) -> App {
        let live = Live::start(store.clone());
        let news = live.subscribe();
        let app = App(Arc::new(Inner {
            store,
            clock: Box::new(clock),
            random: Box::new(random),
            demo,
            live,
            identities: Identities::default(),
            signals: OnceLock::new(),
        }));
        tokio::spawn(forget_on_news(Arc::downgrade(&app.0), news));
        app
    }

    /// Lets routes take what devices and vendors' platforms send.
    pub fn take_signals(&self, intake: Intake) {
        let _ = self.0.signals.set(intake);
    }

    /// Where what devices send goes; none where nobody listens, as in a test of pages.
    pub fn signals(&self) -> Option<&Intake> {
        self.0.signals.get()
    }

    /// The present moment.
    pub fn now(&self) -> Now {
        (self.0.clock)()
    }

    /// A new random token of 32 bytes, in URL-safe base 64 with a prefix that tells what it is for.
    pub fn token(&self, prefix: &str) -> String {
        use base64::Engine as _;
        let mut bytes = [0; 32];
        (self.0.random)(&mut bytes);
        format!("{prefix}_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Fills bytes with randomness: salts, one-time secrets.
    pub fn random(&self, bytes: &mut [u8]) {
        (self.0.random)(bytes);
    }

    /// The store, for workers.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The demo, when this is one.
    pub fn demo(&self) -> Option<&Demo> {
        self.0.demo.as_ref()
    }

    /// News for open pages.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn identities(&self) -> &Identities {
        &self.0.identities
    }

    /// Runs a command; answers after its commit is on disk.
    pub async fn write<T, R>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>, Now) -> Result<T, No<R>> + Send + 'static,
    ) -> Result<T, No<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        No<R>: From<Fault> + Conflicting,
    {
        let now = self.now();
        let (send, receive) = oneshot::channel();
        self.0.store.write_then(move |tx| work(tx, now), move |answer| drop(send.send(answer)));
        receive.await.unwrap_or_else(|_| Err(No::Fault(Fault::other("the store has stopped"))))
    }

    /// Runs a question.
    pub async fn read<T, R>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>, Now) -> Result<T, No<R>> + Send + 'static,
    ) -> Result<T, No<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        No<R>: From<Fault> + Conflicting,
    {
        let now = self.now();
        let (send, receive) = oneshot::channel();
        self.0.store.read_then(move |tx| work(tx, now), move |answer| drop(send.send(answer)));
        receive.await.unwrap_or_else(|_| Err(No::Fault(Fault::other("the store has stopped"))))
    }
}

/// Forgets who everybody is when something about accounts changed, also in another process on the same database.
async fn forget_on_news(app: Weak<Inner>, mut news: broadcast::Receiver<Arc<Told>>) {
    loop {
        let forget = match news.recv().await {
            Ok(told) => told.topic.starts_with("account."),
            Err(broadcast::error::RecvError::Lagged(_)) => true,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let Some(app) = app.upgrade() else { return };
        if forget {
            app.identities.forget();
        }
    }
}
