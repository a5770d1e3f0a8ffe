//! One visit on the phone: what is asked, the next step, and the answer when a step is refused.

use app::{
    orders::{self, NewPhoto, Sheet, Telephone},
    outcome::{No, Outcome},
    programmes,
    store::Tx,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::{OrderId, PhotoId},
    money::Minutes,
    orders::{CheckIn, CheckOut, Confirmation, ConfirmedBy, Interruption, Method, OrderRefusal, OrderState},
    parties::age,
    time::Now,
};

use super::Step;
use crate::{App, Html, Page, Problem, Reply, Signed, filters, see_with};

/// A visit as its page shows it.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) id: OrderId,
    pub(super) day: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) name: String,
    pub(super) who: String,
    pub(super) address: String,
    /// `geo:` address of the home, for the phone's own map.
    pub(super) route: Option<String>,
    pub(super) service: String,
    pub(super) length: Minutes,
    /// Words of whoever took the order.
    pub(super) note: String,
    /// When the service must not be done.
    pub(super) never_when: String,
    pub(super) state: OrderState,
    /// Whether this carer signs in and out; a partner only comes along.
    pub(super) leads: bool,
    pub(super) leader: String,
    pub(super) together: bool,
    pub(super) began: String,
    /// When the visit must have lasted to count in full.
    pub(super) least: Minutes,
    pub(super) tasks: Vec<String>,
    pub(super) photos: Vec<PhotoId>,
    pub(super) ended: String,
    pub(super) minutes: String,
    pub(super) done: Vec<String>,
    pub(super) said: String,
}

/// Steps shown at the top of a visit and how far it is.
const STAGES: [&str; 4] = ["接单", "到达", "服务", "完成"];

impl Visit {
    pub(super) fn stage(&self) -> usize {
        match self.state {
            OrderState::Placed | OrderState::Offered => 0,
            OrderState::Accepted => 1,
            OrderState::InService => 2,
            _ => 4,
        }
    }

    pub(super) fn stages(&self) -> impl Iterator<Item = (&'static str, bool, bool)> {
        let here = self.stage();
        STAGES.into_iter().enumerate().map(move |(n, name)| (name, n < here, n == here))
    }

    pub(super) fn offered(&self) -> bool {
        self.leads && self.state == OrderState::Offered
    }

    pub(super) fn to_arrive(&self) -> bool {
        self.leads && matches!(self.state, OrderState::Offered | OrderState::Accepted)
    }

    pub(super) fn to_leave(&self) -> bool {
        self.to_arrive() || self.serving()
    }

    pub(super) fn serving(&self) -> bool {
        self.leads && self.state == OrderState::InService
    }

    /// Why a visit may break off: code and words.
    pub(super) fn interruptions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        Interruption::ALL.iter().map(|why| (why.code(), why.label()))
    }

    pub(super) fn may_give_back(&self) -> bool {
        self.to_arrive()
    }
}

/// Loads a visit for its carer.
pub(super) fn load(tx: &mut Tx<'_>, actor: &Actor, id: OrderId, now: Now) -> Outcome<Visit, OrderRefusal> {
    let Sheet { order, line, visit, photos, .. } = orders::sheet(tx, actor, id)?;
    let day = order.service_from.parse().unwrap_or_else(|_| now.day());
    let item = programmes::item_on(tx, &order.service, day)?.map(|(item, _)| item);
    let years =
        age::full_years(line.person_birth, now.day()).map_or_else(String::new, |y| format!("{y} 岁 · "));
    let proof: Vec<&str> =
        item.iter().flat_map(|i| i.evidence.split('；')).filter(|t| !t.is_empty()).collect();
    let ended = visit.as_ref().and_then(|v| v.out_at);
    Ok(Visit {
        id,
        day: if line.start_at.day() == now.day() {
            "今天".to_owned()
        } else {
            line.start_at.local().strftime("%m 月 %d 日").to_string()
        },
        from: line.start_at.clock(),
        to: line.end_at.clock(),
        who: format!("{years}{}", line.person_sex.label()),
        name: line.person_name,
        address: line.address,
        route: line.home.map(|h| {
            let (lon, lat) = h.degrees();
            format!("geo:{lat},{lon}?q={lat},{lon}")
        }),
        service: line.service_name,
        length: Minutes(line.end_at.minutes_since(line.start_at)),
        note: line.note,
        never_when: item.as_ref().map(|i| i.contraindication.clone()).unwrap_or_default(),
        state: order.state,
        leads: order.carer == actor.carer,
        leader: line.carer_name,
        together: order.partner.is_some(),
        began: visit.as_ref().map(|v| v.in_at.clock()).unwrap_or_default(),
        least: item.as_ref().map(|i| i.minutes_min).unwrap_or_default(),
        tasks: tasks(&proof),
        photos: photos.into_iter().map(|(photo, _)| photo).collect(),
        ended: ended.map(|at| at.clock()).unwrap_or_default(),
        minutes: visit.as_ref().and_then(|v| v.minutes).map(|m| m.to_string()).unwrap_or_default(),
        done: visit.as_ref().map(|v| v.tasks.clone()).unwrap_or_default(),
        said: visit.map(|v| v.note).unwrap_or_default(),
    })
}

/// What is ticked: the service itself, then what the catalogue wants as proof and the phone does not keep by itself.
fn tasks(proof: &[&str]) -> Vec<String> {
    let by_itself = |task: &&&str| !["签到", "定位", "照片"].iter().any(|word| task.contains(word));
    let mut tasks = vec!["已按项目要求完成服务".to_owned()];
    tasks.extend(proof.iter().filter(by_itself).map(|task| format!("已做：{task}")));
    tasks
}

/// What was typed before a step was refused.
#[derive(Debug, Default)]
struct Typed {
    tasks: Vec<String>,
    note: String,
    satisfied: String,
    said: String,
    reason: String,
}

impl Typed {
    fn of(step: &Step) -> Typed {
        Typed {
            tasks: step.all("tasks").to_vec(),
            note: step.text("note").to_owned(),
            satisfied: step.text("satisfied").to_owned(),
            said: step.text("said").to_owned(),
            reason: step.text("reason").to_owned(),
        }
    }

    fn ticked(&self, task: &str) -> bool {
        self.tasks.iter().any(|t| t == task)
    }
}

#[derive(Template)]
#[template(path = "carer/visit.html")]
struct VisitPage {
    page: Page,
    visit: Visit,
    typed: Typed,
    refused: String,
    telephones: Vec<Telephone>,
}

pub(super) fn id_of(text: &str) -> Reply<OrderId> {
    text.parse().map_err(|_| Problem::not_found())
}

/// The page of one visit.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let visit = app.read(move |tx, now| load(tx, &actor, id, now)).await?;
    let page = page.titled("上门服务", "carer");
    Ok(Html(VisitPage {
        page,
        visit,
        typed: Typed::default(),
        refused: String::new(),
        telephones: Vec::new(),
    }))
}

/// What a refused step leads to: a sentence for the phone's queue, or the page with what was typed.
pub(super) async fn answer(
    app: &App,
    page: Page,
    signed: &Signed,
    id: OrderId,
    step: &Step,
    came: Outcome<String, OrderRefusal>,
    to: &str,
) -> Reply {
    let no = match came {
        Ok(said) => return Ok(see_with(to, &said, None)),
        Err(no) => no,
    };
    let No::Refused(refusal) = &no else { return Err(no.into()) };
    let refused = refusal.to_string();
    let problem = Problem::from(no);
    if step.script {
        return Err(problem);
    }
    let actor = signed.actor();
    let visit = app.read(move |tx, now| load(tx, &actor, id, now)).await?;
    let page = page.titled("上门服务", "carer");
    let shown = VisitPage { page, visit, typed: Typed::of(step), refused, telephones: Vec::new() };
    Ok((problem.status(), Html(shown)).into_response())
}

pub(super) fn here(id: OrderId) -> String {
    format!("/carer/visits/{id}")
}

/// The carer takes the order.
pub async fn acceptance(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            orders::accept(tx, actor, id, now)?;
            Ok("已接单".to_owned())
        })
        .await;
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}

/// The carer gives the order back, saying why.
pub async fn refusal(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let reason = step.text("reason").to_owned();
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            orders::decline(tx, actor, id, &reason, now)?;
            Ok("已退单，派单员会另派".to_owned())
        })
        .await;
    answer(&app, page, &signed, id, &step, came, "/carer").await
}

/// The carer is at the door.
pub async fn arrival(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let fix = step.fix();
    let method = if fix.is_some() { Method::Gps } else { Method::Manual };
    let ask = CheckIn { method, fix, device_at: step.device_at(app.now()) };
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            let visit = orders::check_in(tx, actor, id, &ask, now)?;
            let clock = visit.began_at.clock();
            Ok(match visit.distance_metres {
                Some(metres) => format!("{clock} 已签到，距住处 {metres} 米"),
                None => format!("{clock} 已签到，没有可用的定位，派单员会核对"),
            })
        })
        .await;
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}

/// Photographs of the visit.
pub async fn photos(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    mut step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let taken_at = step.device_at(app.now());
    let files = std::mem::take(&mut step.photos);
    // Decoding a picture takes tens of milliseconds: not on a thread that serves others.
    let parsed = tokio::task::spawn_blocking(move || {
        files.into_iter().map(|bytes| NewPhoto::parse(bytes, taken_at)).collect::<Result<Vec<_>, _>>()
    })
    .await
    .map_err(|_| Problem::malformed("照片没有读完，请重试"))?;
    let came = match parsed {
        Err(refusal) => Err(No::Refused(refusal)),
        Ok(photos) if photos.is_empty() => {
            Err(No::Refused(OrderRefusal::Missing { what: "要上传的照片" }))
        }
        Ok(photos) => {
            step.once(&app, &signed, move |tx, actor, now| {
                for photo in &photos {
                    orders::add_photo(tx, actor, id, photo, now)?;
                }
                Ok(format!("已上传 {} 张照片", photos.len()))
            })
            .await
        }
    };
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}

/// The carer leaves; the elder's word, if given, is taken with it.
pub async fn departure(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let ask = CheckOut {
        fix: step.fix(),
        device_at: step.device_at(app.now()),
        tasks: step.all("tasks").to_vec(),
        note: step.text("note").to_owned(),
    };
    let word = match step.text("satisfied") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let word = word.map(|satisfied| Confirmation {
        by: ConfirmedBy::Elder,
        satisfied,
        note: step.text("said").to_owned(),
    });
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            let state = orders::check_out(tx, actor, id, &ask, word.as_ref(), now)?;
            Ok(match state {
                OrderState::Confirmed => "已签退，老人已当场确认".to_owned(),
                OrderState::Disputed => "已签退，老人的意见已记下，派单员会回访".to_owned(),
                _ => "已签退，等待验收".to_owned(),
            })
        })
        .await;
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}

/// One photograph of the visit.
pub async fn photo(
    State(app): State<App>,
    signed: Signed,
    Path((id, photo)): Path<(String, String)>,
) -> Reply {
    let id = id_of(&id)?;
    let photo: PhotoId = photo.parse().map_err(|_| Problem::not_found())?;
    let actor = signed.actor();
    let found = app.read(move |tx, _| orders::photo(tx, &actor, id, photo)).await?;
    let headers = [(header::CONTENT_TYPE, found.kind), (header::CONTENT_DISPOSITION, "inline".to_owned())];
    Ok((headers, found.bytes).into_response())
}

/// Shows the telephones of the elder and the contacts while the carer is there; who looked is on record.
pub async fn telephone(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Response> {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let (visit, telephones) = app
        .write(move |tx, now| {
            let telephones = orders::telephones(tx, &actor, id, now)?;
            Ok::<_, No<OrderRefusal>>((load(tx, &actor, id, now)?, telephones))
        })
        .await?;
    let page = page.titled("上门服务", "carer");
    let shown = VisitPage { page, visit, typed: Typed::default(), refused: String::new(), telephones };
    Ok(Html(shown).into_response())
}
