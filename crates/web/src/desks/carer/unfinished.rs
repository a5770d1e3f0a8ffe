//! When a visit becomes no service: nobody opens, or it breaks off.

use app::orders;
use axum::extract::{Path, State};
use domain::orders::{Interrupt, Interruption, NobodyHome};

use super::{
    Step,
    visit::{answer, here, id_of},
};
use crate::{App, Page, Problem, Reply, Signed};

/// `POST /carer/visits/{id}/empty-visit`: nobody opened.
pub async fn empty_visit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let ask = NobodyHome {
        fix: step.fix(),
        device_at: step.device_at(app.now()),
        rang_elder: step.text("rang_elder") == "yes",
        rang_contact: step.text("rang_contact") == "yes",
        note: step.text("note").to_owned(),
    };
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            orders::nobody_home(tx, actor, id, &ask, now)?;
            Ok("空访已登记，派单员会另约时间".to_owned())
        })
        .await;
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}

/// `POST /carer/visits/{id}/interruption`: the visit breaks off.
pub async fn interruption(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    step: Step,
) -> Reply {
    let id = id_of(&id)?;
    let why = Interruption::from_code(step.text("why"))
        .ok_or_else(|| Problem::invalid("missing", "请选择为什么中断"))?;
    let ask = Interrupt {
        fix: step.fix(),
        device_at: step.device_at(app.now()),
        why,
        note: step.text("note").to_owned(),
    };
    let came = step
        .once(&app, &signed, move |tx, actor, now| {
            let minutes = orders::interrupt(tx, actor, id, &ask, now)?;
            Ok(format!("已记下中断，实际服务 {minutes}，派单员会联系老人和家属"))
        })
        .await;
    answer(&app, page, &signed, id, &step, came, &here(id)).await
}
