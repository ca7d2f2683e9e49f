"""The tables of a library and how older ones become them.

Segments were once called clips. Their old name stays in these tables, in labels.json and library.json, and in the
exported tables and COCO files, so that older libraries and exports can be read.
"""

APPLICATION_ID = 0x414C_4942  # "ALIB": tells our databases from others

_FIRST = """
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE);
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    note TEXT NOT NULL DEFAULT '');
CREATE TABLE actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    shortcut TEXT NOT NULL DEFAULT '');
CREATE TABLE recordings (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, source TEXT NOT NULL,
    duration_s REAL NOT NULL, frames INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    layout TEXT NOT NULL, skeleton_only INTEGER NOT NULL,
    session INTEGER REFERENCES sessions, note TEXT NOT NULL DEFAULT '',
    deleted INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0);
CREATE INDEX recordings_by_time ON recordings (created DESC, id);
CREATE INDEX recordings_by_session ON recordings (session);
CREATE TABLE clips (
    id INTEGER PRIMARY KEY AUTOINCREMENT, recording TEXT NOT NULL REFERENCES recordings,
    person INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL CHECK (end_s > start_s),
    action INTEGER REFERENCES actions, who INTEGER REFERENCES people,
    note TEXT NOT NULL DEFAULT '', suspect INTEGER NOT NULL DEFAULT 0);
CREATE INDEX clips_by_recording ON clips (recording, start_s, id);
CREATE INDEX clips_by_action ON clips (action, recording);
CREATE INDEX clips_by_who ON clips (who, recording);
CREATE TABLE splits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE);
CREATE TABLE split_clips (
    id INTEGER PRIMARY KEY AUTOINCREMENT, split INTEGER NOT NULL REFERENCES splits,
    clip INTEGER NOT NULL REFERENCES clips, part TEXT NOT NULL, UNIQUE (split, clip));
CREATE INDEX split_clips_by_clip ON split_clips (clip);
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
    kind TEXT NOT NULL, folder TEXT NOT NULL, details TEXT NOT NULL);
CREATE TABLE model_clips (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model INTEGER NOT NULL REFERENCES models,
    clip TEXT NOT NULL, action TEXT NOT NULL);
CREATE INDEX model_clips_by_model ON model_clips (model);
CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, made TEXT NOT NULL, text TEXT NOT NULL, changes TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX edits_by_state ON edits (undone, id);
CREATE TABLE unwritten (place TEXT PRIMARY KEY);
INSERT INTO actions (name, key) VALUES ('nothing', 'nothing');
"""

# The script at place n makes a library of version n + 1 from one of version n; 0 is an empty database.
MIGRATIONS: tuple[str, ...] = (_FIRST,)
