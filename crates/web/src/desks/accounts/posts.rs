//! Giving posts to an account and ending them.

use app::parties::accounts;
use axum::{
    Form,
    extract::{Path, State},
};
use domain::ids::PostId;

use super::{
    account_id,
    open::{PostTyped, post_typed},
};
use crate::{App, Problem, Reply, Signed, page::see_with};

/// `POST /accounts/{id}/posts`
pub async fn create(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(typed): Form<PostTyped>,
) -> Reply {
    let id = account_id(&id)?;
    let back = format!("/accounts/{id}");
    let actor = signed.actor();
    // Before the form is read: of an account one does not see nothing is said.
    app.read({
        let actor = actor.clone();
        move |tx, now| accounts::account(tx, &actor, id, now)
    })
    .await?;
    let post = match post_typed(&app, signed.actor(), &typed).await? {
        Ok(post) => post,
        Err(mistake) => return Ok(see_with(&back, &mistake.text, None)),
    };
    match app.write(move |tx, now| accounts::give_post(tx, &actor, id, &post, now)).await {
        Ok(_) => {
            app.identities().forget();
            Ok(see_with(&back, &format!("已增加岗位：{}", post.role.label()), None))
        }
        Err(app::outcome::No::Refused(refusal)) => Ok(see_with(&back, &refusal.to_string(), None)),
        Err(no) => Err(no.into()),
    }
}

fn post_id(text: &str) -> Result<PostId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// `POST /accounts/{id}/posts/{post}/end`
pub async fn end(State(app): State<App>, signed: Signed, Path((id, post)): Path<(String, String)>) -> Reply {
    let (id, post, actor) = (account_id(&id)?, post_id(&post)?, signed.actor());
    app.write(move |tx, now| accounts::end_post(tx, &actor, id, post, now)).await?;
    app.identities().forget();
    let undo = format!("/accounts/{id}/posts/{post}/restoration");
    Ok(see_with(&format!("/accounts/{id}"), "岗位已结束", Some(&undo)))
}

/// `POST /accounts/{id}/posts/{post}/restoration`
pub async fn restore(
    State(app): State<App>,
    signed: Signed,
    Path((id, post)): Path<(String, String)>,
) -> Reply {
    let (id, post, actor) = (account_id(&id)?, post_id(&post)?, signed.actor());
    app.write(move |tx, now| accounts::restore_post(tx, &actor, id, post, now)).await?;
    app.identities().forget();
    Ok(see_with(&format!("/accounts/{id}"), "岗位已恢复", None))
}
