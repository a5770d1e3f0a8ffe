//! The administrator's desk: who may come in, in which posts, and which programs hold tokens.

pub mod open;
pub mod posts;
pub mod tokens;

use app::{
    outcome::{Never, No},
    parties::accounts::{self, AccountLine, AccountState, Filter, GivenPost, Happened},
    regions::{self, RegionBook},
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::IntoResponse,
};
use domain::{
    access::{Actor, Role},
    ids::AccountId,
    regions::{RegionCode, RegionRange},
    time::Now,
};
use serde::Deserialize;

use crate::{App, Html, Page, Problem, Reply, Signed, filters, page::encode};

/// Accounts on a page.
const PAGE: i64 = 50;

/// A region range as people call it.
pub(crate) fn place(book: &RegionBook, range: RegionRange) -> String {
    if range == RegionRange::ALL {
        return "全部地区".to_owned();
    }
    RegionCode::new(range.lo).map_or_else(|_| "—".to_owned(), |code| book.path_of(code))
}

/// Names to choose regions by: counties and townships of one's range. Villages are typed.
pub(crate) fn region_names(
    book: &RegionBook,
    actor: &Actor,
    now: Now,
    above: &[regions::Region],
) -> Vec<String> {
    let inside = |code: RegionCode| actor.range.meet(code.range()).is_some();
    let mut names = Vec::new();
    for region in above {
        names.push(book.path_of(region.code));
        let below = book.children_of(region.code, now.day());
        names.extend(below.into_iter().filter(|r| inside(r.code)).map(|r| book.path_of(r.code)));
    }
    names
}

/// Reads what was typed into a region field: nothing, a code, or a name as the suggestions have it.
pub(crate) fn region_typed(
    tx: &mut app::store::Tx<'_>,
    actor: &Actor,
    typed: &str,
    now: Now,
) -> Result<Result<Option<RegionRange>, String>, No<Never>> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    if let Ok(code) = RegionCode::parse(typed) {
        return Ok(Ok(Some(code.range())));
    }
    let book = regions::book(tx)?;
    let found = regions::suggest(tx, actor, typed, 20, now)?;
    let whole: Vec<_> = found.iter().filter(|r| r.name == typed || book.path_of(r.code) == typed).collect();
    Ok(match (&found[..], &whole[..]) {
        ([only], _) => Ok(Some(only.code.range())),
        (_, [only]) => Ok(Some(only.code.range())),
        ([], _) => Err(format!("没有找到“{typed}”，请核对名称，或填 6、9、12 位区划代码")),
        _ => Err(format!("“{typed}”不止一个，请从提示里选一个，或填区划代码")),
    })
}

/// What the list is narrowed to; lives in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

impl ListQuery {
    fn page(&self) -> i64 {
        self.page.parse().unwrap_or(1).clamp(1, 100_000)
    }

    /// The same list, at another page.
    fn at_page(&self, page: i64) -> String {
        let mut out = String::new();
        let all = [("q", &self.q), ("role", &self.role), ("region", &self.region), ("state", &self.state)];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&encode(value));
        }
        if page > 1 {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(&format!("page={page}"));
        }
        out
    }

    fn empty(&self) -> bool {
        [&self.q, &self.role, &self.region, &self.state].into_iter().all(String::is_empty)
    }
}

/// A choice of a select.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// Roles a post can have; programs hold tokens instead.
pub(crate) fn roles(chosen: &str) -> Vec<Choice> {
    let role = |role: &Role| Choice {
        value: role.code().to_owned(),
        label: role.label().to_owned(),
        chosen: role.code() == chosen,
    };
    Role::ALL.iter().filter(|r| **r != Role::System).map(role).collect()
}

struct Row {
    id: AccountId,
    name: String,
    username: String,
    posts: String,
    state: AccountState,
    open: bool,
}

/// A post as the account's page shows it.
struct PostView {
    given: GivenPost,
    place: String,
}

struct Opened {
    line: AccountLine,
    posts: Vec<PostView>,
    happened: Vec<(Happened, &'static str)>,
    own: bool,
}

struct Pages {
    from: i64,
    to: i64,
    total: i64,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "accounts/index.html")]
struct IndexPage {
    page: Page,
    now: Now,
    query: ListQuery,
    here: String,
    roles: Vec<Choice>,
    states: Vec<Choice>,
    regions: Vec<String>,
    region_wrong: Option<String>,
    rows: Vec<Row>,
    pages: Pages,
    opened: Option<Opened>,
    providers: Vec<Choice>,
}

/// `GET /accounts`
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(query): Query<ListQuery>,
) -> Reply {
    list(&app, page, &signed, query, None).await
}

/// `GET /accounts/{id}`: the account beside the list.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Reply {
    list(&app, page, &signed, query, Some(account_id(&id)?)).await
}

/// The id in an address; what is none is not found.
pub(crate) fn account_id(text: &str) -> Result<AccountId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

async fn list(app: &App, page: Page, signed: &Signed, query: ListQuery, open: Option<AccountId>) -> Reply {
    let (actor, asked) = (signed.actor(), query.clone());
    let now = app.now();
    let (index, region_wrong) = app
        .read(move |tx, now| {
            let typed = region_typed(tx, &actor, &asked.region, now)?;
            let region_wrong = typed.as_ref().err().cloned();
            let filter = Filter {
                text: asked.q.clone(),
                role: Role::from_code(&asked.role),
                range: typed.unwrap_or(None),
                state: AccountState::ALL.into_iter().find(|s| s.code() == asked.state),
            };
            let from = (asked.page() - 1) * PAGE;
            let found = accounts::accounts(tx, &actor, &filter, from, PAGE, now)?;
            let book = regions::book(tx)?;
            let step = regions::children(tx, &actor, None, now)?;
            let names = region_names(&book, &actor, now, &step.items);
            let opened = match open {
                None => None,
                Some(id) => Some(opened(tx, &actor, id, &book, now)?),
            };
            let providers = accounts::providers_to_choose(tx, &actor)?;
            Ok::<_, No<Never>>(((found, book, names, opened, providers), region_wrong))
        })
        .await?;
    let (found, book, regions, opened, providers) = index;
    let from = (query.page() - 1) * PAGE;
    let shown = i64::try_from(found.lines.len()).unwrap_or(0);
    let pages = Pages {
        from: if shown == 0 { 0 } else { from + 1 },
        to: from + shown,
        total: found.total,
        prev: (from > 0).then(|| format!("/accounts{}", query.at_page(query.page() - 1))),
        next: (from + shown < found.total).then(|| format!("/accounts{}", query.at_page(query.page() + 1))),
    };
    let rows = found.lines.into_iter().map(|line| row(&book, line, open)).collect();
    let title = opened.as_ref().map_or("账号".to_owned(), |o| o.line.name.clone());
    let state = |s: AccountState| Choice {
        value: s.code().to_owned(),
        label: s.label().to_owned(),
        chosen: s.code() == query.state,
    };
    Ok(Html(IndexPage {
        page: page.titled(&title, "accounts"),
        now,
        here: query.at_page(query.page()),
        roles: roles(&query.role),
        states: AccountState::ALL.into_iter().map(state).collect(),
        query,
        regions,
        region_wrong,
        rows,
        pages,
        opened,
        providers: providers
            .into_iter()
            .map(|(id, label)| Choice { value: id.to_string(), label, chosen: false })
            .collect(),
    })
    .into_response())
}

fn row(book: &RegionBook, line: AccountLine, open: Option<AccountId>) -> Row {
    let posts: Vec<String> = line
        .posts
        .iter()
        .filter(|post| post.ended.is_none())
        .map(|post| format!("{} · {}", post.role.label(), place(book, post.range)))
        .collect();
    Row {
        open: Some(line.id) == open,
        id: line.id,
        name: line.name,
        username: line.username,
        posts: if posts.is_empty() { "没有岗位".to_owned() } else { posts.join("；") },
        state: line.state,
    }
}

fn opened(
    tx: &mut app::store::Tx<'_>,
    actor: &Actor,
    id: AccountId,
    book: &RegionBook,
    now: Now,
) -> Result<Opened, No<Never>> {
    let line = accounts::account(tx, actor, id, now)?;
    let happened = accounts::happened(tx, actor, id)?;
    let view = |given: &GivenPost| PostView { place: place(book, given.range), given: given.clone() };
    Ok(Opened {
        posts: line.posts.iter().map(view).collect(),
        happened: happened.into_iter().map(|h| (words(&h.act), h)).map(|(w, h)| (h, w)).collect(),
        own: line.id == actor.account,
        line,
    })
}

/// What happened, as people say it.
fn words(act: &str) -> &'static str {
    match act.strip_prefix("account.").unwrap_or(act) {
        "first_claimed" => "设立首个管理员账号",
        "invited" => "开户",
        "invited_again" => "重新发送设密码链接",
        "password_set" => "设置密码",
        "password_changed" => "修改密码",
        "signed_in" => "登录",
        "signed_out" => "退出",
        "session_ended" => "退出另一台设备",
        "post_chosen" => "切换岗位",
        "locked" => "错误次数过多，暂时锁定",
        "factor_set" => "绑定动态码",
        "factor_removed" => "停用动态码",
        "factor_cleared" => "解除动态码",
        "post_given" => "增加岗位",
        "post_ended" => "结束岗位",
        "closed" => "停用账号",
        "reopened" => "恢复账号",
        _ => "其他变更",
    }
}
