//! Each step of a story as a request to the server.

use domain::time::At;
use serde_json::{Value, json};

use super::{
    Life, Told,
    client::{Client, ClientFault, Said},
};
use crate::{
    seed,
    story::{Step, Story, Went, Wish},
};

/// The session has expired, or there is none yet.
pub(super) const SIGNED_OUT: u16 = 401;

impl Life {
    /// Does a step; answers how it went.
    pub(super) async fn act(&mut self, told: &mut Told, step: Step) -> Result<Went, ClientFault> {
        match step {
            Step::Ring => self.ring(told).await,
            Step::Answer => self.answer(told).await,
            Step::HangUp => self.hang_up(told).await,
            Step::Place => self.place(told).await,
            Step::Assign => self.assign(told).await,
            _ => self.visit(told, step).await,
        }
    }

    async fn ring(&mut self, told: &mut Told) -> Result<Went, ClientFault> {
        let story = &told.story;
        let body = json!({
            "external_id": format!("L{}", story.number),
            "number": story.caller.as_deref().unwrap_or_default(),
        });
        let said = self.telephone.post("/api/v1/calls", &key(story, Step::Ring, 0), &body).await?;
        let Some(call) = said.text("id").map(str::to_owned) else { return Ok(Went::Not) };
        let known = self.telephone.get(&format!("/api/v1/calls/{call}")).await?;
        told.person = known.text("person").map(str::to_owned);
        told.call = Some(call);
        Ok(Went::Well)
    }

    /// The operator picks up, unless a visitor did.
    async fn answer(&mut self, told: &mut Told) -> Result<Went, ClientFault> {
        let Some(call) = &told.call else { return Ok(Went::Not) };
        let path = format!("/api/v1/calls/{call}/answer");
        let key = key(&told.story, Step::Answer, 0);
        let mut said = self.operator.post(&path, &key, &json!({})).await?;
        if said.status == SIGNED_OUT {
            match (self.driver.sign_in)(seed::OPERATOR) {
                Ok(session) => self.operator = Client::with_session(self.address, &session),
                Err(fault) => tracing::warn!(%fault, "the operator could not sign in"),
            }
            said = self.operator.post(&path, &key, &json!({})).await?;
        }
        Ok(went(&said))
    }

    async fn hang_up(&mut self, told: &mut Told) -> Result<Went, ClientFault> {
        let Some(call) = &told.call else { return Ok(Went::Not) };
        let outcome = match told.story.wish {
            Wish::Nothing => "wrong",
            Wish::Service if told.order.is_some() => "ordered",
            Wish::Service | Wish::Question => "answered",
        };
        let path = format!("/api/v1/calls/{call}/ending");
        let body = json!({ "outcome": outcome });
        Ok(went(&self.operator.post(&path, &key(&told.story, Step::HangUp, 0), &body).await?))
    }

    async fn place(&mut self, told: &mut Told) -> Result<Went, ClientFault> {
        // A number that belongs to two elders, or to nobody: the operator finds out by asking, a program cannot.
        let (Some(person), Some(call)) = (&told.person, &told.call) else { return Ok(Went::Not) };
        let story = &told.story;
        let body = json!({
            "person": person, "service": story.service, "start_at": story.start, "minutes": story.minutes,
            "own_share_agreed": true, "channel": "hotline", "call": call, "note": story.note,
        });
        let said = self.offices.post("/api/v1/orders", &key(story, Step::Place, 0), &body).await?;
        told.order = said.text("id").map(str::to_owned);
        Ok(went(&said))
    }

    async fn assign(&mut self, told: &mut Told) -> Result<Went, ClientFault> {
        let Some(order) = told.order.clone() else { return Ok(Went::Not) };
        let found = self.offices.get(&format!("/api/v1/orders/{order}/candidates")).await?;
        let now = (self.driver.clock.now)().0;
        let carers = found.body["items"].as_array().into_iter().flatten().filter_map(|candidate| {
            let id = candidate["carer"].as_str()?;
            let allowed = candidate["allowed"].as_bool()?;
            let index = self.driver.carers.get(&id.parse().ok()?)?;
            let visitor = self.driver.visitors.contains(&id.parse().ok()?);
            (allowed && !visitor).then(|| (id.to_owned(), *index))
        });
        for (carer, index) in carers.take(3).collect::<Vec<_>>() {
            let path = format!("/api/v1/orders/{order}/assignment");
            // The same carer may be asked again later, so the moment belongs to the key.
            let key = key(&told.story, Step::Assign, now.0 ^ i64::from(index));
            let said = self.offices.post(&path, &key, &json!({ "carer": carer })).await?;
            if said.good() {
                let truth = self.driver.city.carer_truth(&self.driver.city.carers[index as usize]);
                return Ok(Went::Offered { carer: truth, at_once: said.text("state") == Some("accepted") });
            }
        }
        Ok(Went::Not)
    }

    /// The steps from the offer to the payment.
    async fn visit(&mut self, told: &mut Told, step: Step) -> Result<Went, ClientFault> {
        let Some(order) = &told.order else { return Ok(Went::Not) };
        let now = (self.driver.clock.now)().0;
        let story = &told.story;
        let (what, body) = match step {
            Step::Accept => ("acceptance", json!({})),
            Step::Decline => ("acceptance", json!({ "accepted": false, "reason": "时间排不开" })),
            Step::Cancel => {
                let reason = story.cancels.unwrap_or(domain::orders::CancelReason::Elder);
                ("cancellation", json!({ "reason": reason.code() }))
            }
            Step::CheckIn => ("check-in", self.at_the_door(told, now)),
            Step::CheckOut => ("check-out", leaving(story, now)),
            Step::Confirm if story.satisfied => ("confirmation", json!({ "by": "call_back" })),
            Step::Confirm => {
                ("confirmation", json!({ "by": "call_back", "satisfied": false, "note": "老人反映时间不够" }))
            }
            // Asking for an exception is an office's work and has no door for programs.
            Step::AskException => return Ok(Went::Not),
            Step::Rate => ("rating", json!({ "stars": story.stars.unwrap_or(5) })),
            _ => ("settlement", json!({})),
        };
        let path = format!("/api/v1/orders/{order}/{what}");
        Ok(went(&self.offices.post(&path, &key(story, step, now.0), &body).await?))
    }

    fn at_the_door(&self, told: &Told, now: At) -> Value {
        let began = told.story.visit.map(|(began, _)| began).filter(|began| now.minutes_since(*began) >= 2);
        let mut body = json!({ "method": "code", "device_at": began });
        // Of an order that was only found, the home is not known here.
        if told.person.is_some() {
            let home = self.driver.city.person(told.story.person);
            body = json!({
                "method": "gps", "device_at": began,
                "fix": { "lon": home.lon + 0.000_2, "lat": home.lat - 0.000_1, "accuracy": 18.0 },
            });
        }
        body
    }
}

fn leaving(story: &Story, now: At) -> Value {
    let ended = story.visit.map(|(_, ended)| ended).filter(|ended| now.minutes_since(*ended) >= 2);
    let word = (story.on_the_spot && story.satisfied).then(|| json!({ "by": "elder", "satisfied": true }));
    json!({ "device_at": ended, "note": "已按约定完成", "confirmation": word })
}

/// A request is known by its story and step, so that one that is repeated happens once.
fn key(story: &Story, step: Step, turn: i64) -> String {
    format!("{}-{step:?}-{turn}", story.number)
}

fn went(said: &Said) -> Went {
    if !said.good() {
        let code = said.text("code").unwrap_or_default();
        tracing::debug!(status = said.status, code, "refused");
    }
    if said.good() { Went::Well } else { Went::Not }
}
