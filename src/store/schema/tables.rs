//! The definitions of bd's tables and views at its newest schema. What could go wrong is a definition that is nearly bd's:
//! every one is held against the tables that the real bd makes, to the address of the schema (`tests/live/store_schema`).
//!
//! Columns have tags, which Dolt draws from the names and kinds of what was there when they came. Two tables are older
//! than their columns in bd's history, so they are made here in a first form ([`first`]), which goes into the first commits,
//! and made anew later ([`again`]): columns that the last commit knows keep their tags.

/// The columns of an issue. `{}` stands where `wisps` has a default and `issues` none.
const ISSUE_COLUMNS: &str = "id varchar(255) primary key, content_hash varchar(64), title varchar(500) not null, \
    description longtext not null{}, design longtext not null{}, acceptance_criteria longtext not null{}, \
    notes longtext not null{}, status varchar(32) not null default 'open', priority int not null default 2, \
    issue_type varchar(32) not null default 'task', assignee varchar(255), estimated_minutes int, \
    created_at datetime not null default current_timestamp, created_by varchar(255) default '', \
    owner varchar(255) default '', \
    updated_at datetime not null default current_timestamp on update current_timestamp, closed_at datetime, \
    closed_by_session varchar(255) default '', external_ref varchar(255), spec_id varchar(1024), \
    compaction_level int default 0, compacted_at datetime, compacted_at_commit varchar(64), original_size int, \
    sender varchar(255) default '', ephemeral tinyint(1) default 0, wisp_type varchar(32) default '', \
    pinned tinyint(1) default 0, is_template tinyint(1) default 0, mol_type varchar(32) default '', \
    work_type varchar(32) default 'mutex', source_system varchar(255) default '', \
    metadata json default (json_object()), source_repo varchar(512) default '', close_reason longtext default '', \
    event_kind varchar(32) default '', actor varchar(255) default '', target varchar(255) default '', \
    payload text default '', await_type varchar(32) default '', await_id varchar(255) default '', \
    timeout_ns bigint default 0, waiters text default '', hook_bead varchar(255) default '', \
    role_bead varchar(255) default '', agent_state varchar(32) default '', last_activity datetime, \
    role_type varchar(32) default '', rig varchar(255) default '', due_at datetime, defer_until datetime, \
    no_history tinyint(1) default 0, started_at datetime, is_blocked tinyint(1) not null default 0";

/// What an edge is, its ends aside.
const EDGE_TARGETS: &str =
    "depends_on_issue_id varchar(255), depends_on_wisp_id varchar(255), depends_on_external varchar(255)";

const ONE_TARGET: &str = "(depends_on_issue_id is not null) + (depends_on_wisp_id is not null) + (depends_on_external is not null) = 1";

fn table(name: &str, columns: &str) -> String {
    format!("create table {name} ({columns})")
}

// A column that refers to an issue or a wisp, which takes what refers to it along.
fn refers(name: &str, column: &str, parent: &str) -> String {
    format!(
        "constraint {name} foreign key ({column}) references {parent} (id) on delete cascade on update cascade"
    )
}

fn issues() -> String {
    let columns = ISSUE_COLUMNS.replace("{}", "");
    let indexes = "index idx_issues_assignee (assignee), index idx_issues_created_at (created_at), \
        index idx_issues_defer_until (defer_until), index idx_issues_external_ref (external_ref), \
        index idx_issues_is_blocked (is_blocked, status), index idx_issues_issue_type (issue_type), \
        index idx_issues_priority (priority), index idx_issues_spec_id (spec_id), \
        index idx_issues_status_updated_at (status, updated_at)";
    table("issues", &format!("{columns}, {indexes}"))
}

/// The committed tables in the form of the first commits, parents before children.
pub(super) fn first() -> Vec<String> {
    let of_issue = |name| refers(name, "issue_id", "issues");
    let dependencies = format!(
        "issue_id varchar(255) not null, depends_on_id varchar(255) not null, \
         type varchar(32) not null default 'blocks', created_at datetime not null default current_timestamp, \
         created_by varchar(255) not null, metadata json default (json_object()), \
         thread_id varchar(255) default '', {EDGE_TARGETS}, primary key (issue_id, depends_on_id)"
    );
    let migrations = "version int primary key, applied_at datetime not null default current_timestamp, \
        content_hash char(64)";
    vec![
        table("schema_migrations", migrations),
        issues(),
        table("dependencies", &dependencies),
        table(
            "labels",
            &format!(
                "issue_id varchar(255) not null, label varchar(255) not null, primary key (issue_id, label), \
                 index idx_labels_label (label), {}",
                of_issue("fk_labels_issue")
            ),
        ),
        table(
            "comments",
            &format!(
                "id char(36) primary key, issue_id varchar(255) not null, author varchar(255) not null, \
                 text longtext not null, created_at datetime not null default current_timestamp, \
                 index idx_comments_issue (issue_id), index idx_comments_created_at (created_at), {}",
                of_issue("fk_comments_issue")
            ),
        ),
        table(
            "events",
            &format!(
                "id char(36) primary key, issue_id varchar(255) not null, event_type varchar(32) not null, \
                 actor varchar(255) not null, old_value longtext, new_value longtext, comment text, \
                 created_at datetime not null default current_timestamp, index idx_events_issue (issue_id), \
                 index idx_events_created_at (created_at), {}",
                of_issue("fk_events_issue")
            ),
        ),
        table("config", "`key` varchar(255) primary key, value text not null"),
        table("metadata", "`key` varchar(255) primary key, value text not null"),
        table(
            "child_counters",
            &format!(
                "parent_id varchar(255) primary key, last_child int not null default 0, {}",
                refers("fk_counter_parent", "parent_id", "issues")
            ),
        ),
        table(
            "issue_snapshots",
            &format!(
                "id char(36) primary key, issue_id varchar(255) not null, snapshot_time datetime not null, \
                 compaction_level int not null, original_size int not null, compressed_size int not null, \
                 original_content text not null, archived_events text, index idx_snapshots_issue (issue_id), \
                 index idx_snapshots_level (compaction_level), {}",
                of_issue("fk_snapshots_issue")
            ),
        ),
        table(
            "compaction_snapshots",
            &format!(
                "id char(36) primary key, issue_id varchar(255) not null, compaction_level int not null, \
                 snapshot_json blob not null, created_at datetime not null default current_timestamp, \
                 index idx_comp_snap_issue (issue_id, compaction_level, created_at), {}",
                of_issue("fk_comp_snap_issue")
            ),
        ),
        table(
            "routes",
            "prefix varchar(32) primary key, path varchar(512) not null, \
             created_at datetime not null default current_timestamp, \
             updated_at datetime not null default current_timestamp on update current_timestamp",
        ),
        table("issue_counter", "prefix varchar(255) primary key, last_id int not null default 0"),
        table(
            "interactions",
            "id varchar(32) primary key, kind varchar(64) not null, created_at datetime not null, \
             actor varchar(255), issue_id varchar(255), model varchar(255), prompt text, response text, \
             error text, tool_name varchar(255), exit_code int, parent_id varchar(32), label varchar(64), \
             reason text, extra json, index idx_interactions_kind (kind), \
             index idx_interactions_created_at (created_at), index idx_interactions_issue_id (issue_id), \
             index idx_interactions_parent_id (parent_id)",
        ),
        table(
            "federation_peers",
            "name varchar(255) primary key, remote_url varchar(1024) not null, username varchar(255), \
             password_encrypted blob, sovereignty varchar(8) default '', last_sync datetime, \
             created_at datetime not null default current_timestamp, \
             updated_at datetime not null default current_timestamp on update current_timestamp, \
             index idx_federation_peers_sovereignty (sovereignty)",
        ),
        table(
            "custom_statuses",
            "name varchar(64) primary key, category varchar(32) not null default 'unspecified'",
        ),
        table("custom_types", "name varchar(64) primary key"),
    ]
}

/// The two tables that get another form, dropped and made anew.
pub(super) fn again() -> Vec<String> {
    let dependencies = format!(
        "id char(36) primary key, issue_id varchar(255) not null, type varchar(32) not null default 'blocks', \
         created_at datetime not null default current_timestamp, created_by varchar(255) not null, \
         metadata json default (json_object()), thread_id varchar(255) default '', {EDGE_TARGETS}, \
         unique key uk_dep_issue_target (issue_id, depends_on_issue_id), \
         unique key uk_dep_wisp_target (issue_id, depends_on_wisp_id), \
         unique key uk_dep_external_target (issue_id, depends_on_external), \
         index idx_dependencies_issue (issue_id), index idx_dependencies_thread (thread_id), \
         index idx_dep_issue_target (depends_on_issue_id), index idx_dep_wisp_target (depends_on_wisp_id), \
         index idx_dep_external_target (depends_on_external), \
         index idx_dep_type_issue (type, depends_on_issue_id), index idx_dep_type_wisp (type, depends_on_wisp_id), \
         index idx_dep_type_external (type, depends_on_external), {}, {}, \
         constraint ck_dep_one_target check ({ONE_TARGET})",
        refers("fk_dep_issue", "issue_id", "issues"),
        refers("fk_dep_issue_target", "depends_on_issue_id", "issues"),
    );
    vec![
        "drop table schema_migrations".to_owned(),
        table("schema_migrations", "version int primary key, content_hash char(64)"),
        "drop table dependencies".to_owned(),
        table("dependencies", &dependencies),
    ]
}

/// What bd puts before the name of one of the local tables at first.
pub(super) const FIRST_NAME: &str = "__temp__";

/// The local tables, which no commit takes, by name: a clone has none of them.
pub(super) fn local() -> Vec<(&'static str, Vec<String>)> {
    let of_wisp = |name| refers(name, "issue_id", "wisps");
    let wisps = ISSUE_COLUMNS.replace("{}", " default ''");
    let wisps = format!(
        "{wisps}, index idx_wisps_status (status), index idx_wisps_priority (priority), \
         index idx_wisps_issue_type (issue_type), index idx_wisps_assignee (assignee), \
         index idx_wisps_created_at (created_at), index idx_wisps_spec_id (spec_id), \
         index idx_wisps_external_ref (external_ref), index idx_wisps_is_blocked (is_blocked, status)"
    );
    let labels = format!(
        "issue_id varchar(255) not null, label varchar(255) not null, primary key (issue_id, label), \
         index idx_wisp_labels_label (label), {}",
        of_wisp("fk_wisp_labels_issue")
    );
    let dependencies = format!(
        "id char(36) primary key, issue_id varchar(255) not null, {EDGE_TARGETS}, \
         type varchar(32) not null default 'blocks', created_at datetime default current_timestamp, \
         created_by varchar(255) default '', metadata json default (json_object()), \
         thread_id varchar(255) default '', unique key uk_wisp_dep_issue_target (issue_id, depends_on_issue_id), \
         unique key uk_wisp_dep_wisp_target (issue_id, depends_on_wisp_id), \
         unique key uk_wisp_dep_external_target (issue_id, depends_on_external), \
         index idx_wisp_dep_type (type), index idx_wisp_dep_type_issue (type, depends_on_issue_id), \
         index idx_wisp_dep_type_wisp (type, depends_on_wisp_id), \
         index idx_wisp_dep_type_external (type, depends_on_external), {}, {}, {}, \
         constraint ck_wisp_dep_one_target check ({ONE_TARGET})",
        of_wisp("fk_wisp_dep_issue"),
        refers("fk_wisp_dep_wisp_target", "depends_on_wisp_id", "wisps"),
        refers("fk_wisp_dep_issue_target", "depends_on_issue_id", "issues"),
    );
    let events = format!(
        "id char(36) primary key, issue_id varchar(255) not null, event_type varchar(32) not null, \
         actor varchar(255) default '', old_value longtext default '', new_value longtext default '', \
         comment text default '', created_at datetime default current_timestamp, \
         index idx_wisp_events_issue (issue_id), index idx_wisp_events_created_at (created_at), {}",
        of_wisp("fk_wisp_events_issue")
    );
    let comments = format!(
        "id char(36) primary key, issue_id varchar(255) not null, author varchar(255) default '', \
         text text not null, created_at datetime default current_timestamp, \
         index idx_wisp_comments_issue (issue_id), {}",
        of_wisp("fk_wisp_comments_issue")
    );
    // The one table that bd gives another name first.
    let counters = format!(
        "parent_id varchar(255) primary key, last_child int not null default 0, {}",
        refers("fk_wisp_child_counters_parent", "parent_id", "wisps")
    );
    let mtimes = "repo_path varchar(512) primary key, jsonl_path varchar(512) not null, mtime_ns bigint not null, \
        last_checked datetime not null default current_timestamp, index idx_repo_mtimes_checked (last_checked)";
    let migrations = "version int primary key, applied_at datetime not null default current_timestamp, \
        content_hash char(64)";
    let one = |name, columns: &str| (name, vec![table(name, columns)]);
    vec![
        one("wisps", &wisps),
        one("wisp_labels", &labels),
        one("wisp_dependencies", &dependencies),
        one("wisp_events", &events),
        one("wisp_comments", &comments),
        (
            "wisp_child_counters",
            vec![
                table("__temp__wisp_child_counters", &counters),
                "rename table __temp__wisp_child_counters to wisp_child_counters".to_owned(),
            ],
        ),
        one("repo_mtimes", mtimes),
        one("local_metadata", "`key` varchar(255) primary key, value text not null default ''"),
        one("ignored_schema_migrations", migrations),
    ]
}

/// Open issues that nothing holds back, by the older and narrower rule that bd keeps for readers of SQL: `blocks` edges,
/// handed down from parents to children as far as 50 steps, and dates of deferral.
const READY_ISSUES: &str = "create view ready_issues as with recursive held (issue_id, depth) as (\
    select distinct d.issue_id, 0 from dependencies d join issues b on b.id = d.depends_on_issue_id \
    where d.type = 'blocks' and b.status not in ('closed', 'pinned') \
    union all select d.issue_id, h.depth + 1 from held h join dependencies d on d.depends_on_issue_id = h.issue_id \
    where d.type = 'parent-child' and h.depth < 50) \
    select i.* from issues i left join held h on h.issue_id = i.id where h.issue_id is null \
    and (i.status = 'open' or i.status in (select name from custom_statuses where category = 'active')) \
    and (i.ephemeral is null or i.ephemeral = 0) \
    and (i.defer_until is null or i.defer_until <= utc_timestamp()) \
    and not exists (select 1 from dependencies d join issues p on p.id = d.depends_on_issue_id \
    where d.issue_id = i.id and d.type = 'parent-child' and p.defer_until > utc_timestamp())";

/// Issues that a `blocks` edge holds back, with the number of such edges.
const BLOCKED_ISSUES: &str = "create view blocked_issues as with \
    over_with as (select name from custom_statuses where category in ('done', 'frozen')), \
    held as (select d.issue_id, count(*) as edges from dependencies d join issues b on b.id = d.depends_on_issue_id \
    where d.type = 'blocks' and b.status not in ('closed', 'pinned') \
    and b.status not in (select name from over_with) group by d.issue_id) \
    select i.*, h.edges as blocked_by_count from issues i join held h on h.issue_id = i.id \
    where i.status not in ('closed', 'pinned') and i.status not in (select name from over_with)";

/// The views.
pub(super) fn views() -> [&'static str; 2] {
    [READY_ISSUES, BLOCKED_ISSUES]
}
