"""The schema, as steps that are only ever appended to. A step that has shipped is never edited.

Ids of what can be deleted are AUTOINCREMENT: an id that came back would join what is new to what
was forgotten.
"""

from sqlite_utils import Database, Migrations

migrations = Migrations("tunebot")


@migrations()
def m001_conversations(db: Database) -> None:
    """A history, and what was chosen for it."""
    db.execute(
        """CREATE TABLE conversations (
            id          INTEGER PRIMARY KEY,
            adapter     TEXT NOT NULL,
            channel     TEXT NOT NULL,
            thread      TEXT NOT NULL,
            profile     TEXT NOT NULL DEFAULT '',   -- '' for the default one
            system      TEXT,                       -- null for the profile's own
            memory_from INTEGER NOT NULL DEFAULT 0, -- turns after this one are remembered: /reset
            summary     TEXT NOT NULL DEFAULT '',
            summary_to  INTEGER NOT NULL DEFAULT 0, -- the last turn that the summary stands for
            UNIQUE (adapter, channel, thread)
        )"""
    )


@migrations()
def m002_messages(db: Database) -> None:
    """What was received and is not part of a turn yet, and the keys of all that was."""
    db.execute(
        """CREATE TABLE messages (
            id           INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation INTEGER NOT NULL REFERENCES conversations(id),
            person       TEXT NOT NULL,
            name         TEXT NOT NULL,
            text         TEXT NOT NULL,
            origin       TEXT NOT NULL,
            at           REAL NOT NULL
        )"""
    )
    db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID")
    db.execute("CREATE INDEX seen_at ON seen(at)")
    # Who was turned away already: told once, then met with silence.
    db.execute("CREATE TABLE strangers (person TEXT PRIMARY KEY, at REAL NOT NULL)")


@migrations()
def m003_turns(db: Database) -> None:
    """What was said, and the answers that are owed (ending 'asking')."""
    db.execute(
        """CREATE TABLE turns (
            id                INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation      INTEGER NOT NULL REFERENCES conversations(id),
            role              TEXT NOT NULL,
            person            TEXT NOT NULL,              -- who asked, on the answer too
            text              TEXT NOT NULL,
            at                REAL NOT NULL,
            ending            TEXT NOT NULL,
            continues         INTEGER NOT NULL DEFAULT 0,
            origin            TEXT NOT NULL DEFAULT '',
            handles           TEXT NOT NULL DEFAULT '[]', -- JSON: the messages that show the answer
            model             TEXT NOT NULL DEFAULT '',
            prompt_tokens     INTEGER NOT NULL DEFAULT 0,
            completion_tokens INTEGER NOT NULL DEFAULT 0,
            cost              REAL                        -- US dollars, null for an unknown price
        )"""
    )
    db.execute("CREATE INDEX turns_conversation ON turns(conversation, id)")
    db.execute("CREATE INDEX turns_person ON turns(person)")
    db.execute("CREATE INDEX turns_at ON turns(at)")
    db.execute("CREATE INDEX turns_asking ON turns(id) WHERE ending = 'asking'")


@migrations()
def m004_outbox(db: Database) -> None:
    """Finished texts and notices that no platform has confirmed yet."""
    db.execute(
        """CREATE TABLE outbox (
            id            INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation  INTEGER NOT NULL REFERENCES conversations(id),
            turn          INTEGER,                    -- null for a notice
            person        TEXT NOT NULL,
            private       INTEGER NOT NULL DEFAULT 0,
            failed        INTEGER NOT NULL DEFAULT 0, -- a sentence about why there is no answer
            text          TEXT NOT NULL,
            document_name TEXT,                       -- null without a document
            document_type TEXT,
            document      BLOB,
            origin        TEXT NOT NULL DEFAULT '',
            handles       TEXT NOT NULL DEFAULT '[]',
            attempts      INTEGER NOT NULL DEFAULT 0,
            due           REAL NOT NULL DEFAULT 0
        )"""
    )


@migrations()
def m005_usage(db: Database) -> None:
    """Tokens and money, by day (UTC), person, conversation and model."""
    db.execute(
        """CREATE TABLE usage (
            day               TEXT NOT NULL,
            person            TEXT NOT NULL,   -- '' once forgotten
            conversation      INTEGER NOT NULL REFERENCES conversations(id),
            model             TEXT NOT NULL,
            answers           INTEGER NOT NULL,
            prompt_tokens     INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL,
            cost              REAL NOT NULL,
            unpriced          INTEGER NOT NULL, -- answers whose price was not known
            PRIMARY KEY (day, person, conversation, model)
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX usage_person ON usage(person)")
    db.execute("CREATE INDEX usage_conversation ON usage(conversation)")


@migrations()
def m006_questions(db: Database) -> None:
    """What was said to messages whose platform fetches it."""
    db.execute(
        """CREATE TABLE questions (
            id            INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation  INTEGER NOT NULL REFERENCES conversations(id),
            question_id   TEXT NOT NULL,
            message       INTEGER NOT NULL,           -- the one that asked; it may be gone
            person        TEXT NOT NULL,
            at            REAL NOT NULL,
            turn          INTEGER,                    -- the answer; null for what a command said
            text          TEXT,                       -- what a command said; null until it did
            failed        INTEGER NOT NULL DEFAULT 0,
            document_name TEXT,                       -- null without a document
            document_type TEXT,
            document      BLOB,
            UNIQUE (conversation, question_id)
        )"""
    )
    db.execute("CREATE INDEX questions_message ON questions(message)")
    db.execute("CREATE INDEX questions_person ON questions(person)")
    db.execute("CREATE INDEX questions_turn ON questions(turn)")
    db.execute("CREATE INDEX questions_at ON questions(at)")
    db.execute("ALTER TABLE messages ADD COLUMN question_id TEXT NOT NULL DEFAULT ''")


@migrations()
def m007_attachments(db: Database) -> None:
    """Files that people sent, as JSON: name, media type, path and size of each."""
    for table in ("messages", "turns"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]'")
        db.execute(
            f"CREATE INDEX {table}_attached ON {table}(attachments) WHERE attachments != '[]'"
        )


@migrations()
def m008_buttons(db: Database) -> None:
    """Buttons below what is owed, as JSON: label and what pressing says."""
    db.execute("ALTER TABLE outbox ADD COLUMN buttons TEXT NOT NULL DEFAULT '[]'")


@migrations()
def m009_feedback(db: Database) -> None:
    """What people think of answers: 1 or -1."""
    db.execute(
        """CREATE TABLE feedback (
            turn   INTEGER NOT NULL,
            person TEXT NOT NULL,
            value  INTEGER NOT NULL,
            at     REAL NOT NULL,
            PRIMARY KEY (turn, person)
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX feedback_person ON feedback(person)")


@migrations()
def m010_aside(db: Database) -> None:
    """What platforms delivered and nobody could read."""
    db.execute(
        """CREATE TABLE aside (
            id      INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            raw     TEXT NOT NULL,
            at      REAL NOT NULL
        )"""
    )


@migrations()
def m011_shelf(db: Database) -> None:
    """What platforms delivered and nobody has read yet."""
    db.execute(
        """CREATE TABLE shelf (
            id      INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            raw     TEXT NOT NULL,
            at      REAL NOT NULL
        )"""
    )


@migrations()
def m012_datasets(db: Database) -> None:
    """Training data: files that are being looked at, and those that are ready."""
    db.execute(
        """CREATE TABLE drafts (
            id      INTEGER PRIMARY KEY AUTOINCREMENT,
            name    TEXT NOT NULL,
            path    TEXT NOT NULL,               -- a copy of what was sent
            chosen  TEXT NOT NULL DEFAULT 'null',  -- the keys of the changes, as JSON
            person  TEXT NOT NULL,
            at      REAL NOT NULL
        )"""
    )
    db.execute(
        """CREATE TABLE datasets (
            name  TEXT PRIMARY KEY,
            facts TEXT NOT NULL,                 -- bot.training.Dataset without its name, as JSON
            at    REAL NOT NULL
        ) WITHOUT ROWID"""
    )


@migrations()
def m013_jobs(db: Database) -> None:
    """Fine-tune jobs, what happened to them, and who follows them."""
    db.execute(
        """CREATE TABLE jobs (
            id      INTEGER PRIMARY KEY AUTOINCREMENT,
            stage   TEXT NOT NULL,              -- bot.store.jobs.Stage
            service TEXT NOT NULL,              -- a provider's name
            job     TEXT NOT NULL DEFAULT '',   -- the service's id, once it is made
            request TEXT NOT NULL UNIQUE,       -- ours, in the job's metadata
            name    TEXT NOT NULL,
            dataset TEXT NOT NULL DEFAULT '',
            wanted  TEXT NOT NULL DEFAULT '{}', -- bot.training.NewJob as JSON
            told    TEXT NOT NULL DEFAULT '{}', -- bot.training.Job as the service told it last
            cost    REAL,                       -- US dollars that it is expected to cost
            person  TEXT NOT NULL DEFAULT '',
            at      REAL NOT NULL
        )"""
    )
    db.execute("CREATE UNIQUE INDEX jobs_job ON jobs(service, job) WHERE job != ''")
    db.execute("CREATE INDEX jobs_stage ON jobs(stage)")
    db.execute(
        """CREATE TABLE job_events (
            id    INTEGER PRIMARY KEY AUTOINCREMENT,
            job   INTEGER NOT NULL,
            event TEXT NOT NULL,                -- the service's id of it
            at    REAL NOT NULL,
            level TEXT NOT NULL,
            text  TEXT NOT NULL,
            data  TEXT NOT NULL,
            UNIQUE (job, event)
        )"""
    )
    db.execute(
        """CREATE TABLE followers (
            id           INTEGER PRIMARY KEY AUTOINCREMENT,
            job          INTEGER NOT NULL,
            conversation INTEGER NOT NULL,
            person       TEXT NOT NULL,
            origin       TEXT NOT NULL,
            handles      TEXT NOT NULL DEFAULT '[]',  -- the platform's messages that show its card
            UNIQUE (job, conversation)
        )"""
    )
    db.execute(
        """CREATE TABLE uploads (
            service TEXT NOT NULL,
            sha256  TEXT NOT NULL,
            name    TEXT NOT NULL,
            file    TEXT NOT NULL,              -- the service's id
            PRIMARY KEY (service, sha256, name)
        ) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE audit (
            id     INTEGER PRIMARY KEY AUTOINCREMENT,
            at     REAL NOT NULL,
            person TEXT NOT NULL,
            what   TEXT NOT NULL,
            about  TEXT NOT NULL
        )"""
    )
    db.execute(
        """CREATE TABLE learned (
            name    TEXT PRIMARY KEY,
            profile TEXT NOT NULL,              -- bot.messages.Profile as JSON
            job     INTEGER NOT NULL,
            at      REAL NOT NULL
        ) WITHOUT ROWID"""
    )
    db.execute("ALTER TABLE outbox ADD COLUMN board INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE outbox ADD COLUMN beneath INTEGER NOT NULL DEFAULT 0")


@migrations()
def m014_question_buttons(db: Database) -> None:
    """Buttons below what a command said to a question, as JSON: label and what pressing says."""
    db.execute("ALTER TABLE questions ADD COLUMN buttons TEXT NOT NULL DEFAULT '[]'")


@migrations()
def m015_moves(db: Database) -> None:
    """Channels that a platform gave another id: what is still under way knows the old one."""
    db.execute(
        """CREATE TABLE moves (
            adapter TEXT NOT NULL,
            channel TEXT NOT NULL,
            now     TEXT NOT NULL,
            PRIMARY KEY (adapter, channel)
        ) WITHOUT ROWID"""
    )


@migrations()
def m016_handles(db: Database) -> None:
    """The platform's messages that show an answer, to find its turn by one of them."""
    db.execute(
        """CREATE TABLE handles (
            handle TEXT NOT NULL,
            turn   INTEGER NOT NULL,
            PRIMARY KEY (handle, turn)
        ) WITHOUT ROWID"""
    )
    db.execute(
        "INSERT OR IGNORE INTO handles "
        "SELECT each.value, turns.id FROM turns, json_each(turns.handles) AS each"
    )
    db.execute(
        """CREATE TRIGGER turns_shown AFTER UPDATE OF handles ON turns
        WHEN new.handles != old.handles BEGIN
            DELETE FROM handles
            WHERE turn = old.id AND handle IN (SELECT value FROM json_each(old.handles));
            INSERT OR IGNORE INTO handles SELECT value, new.id FROM json_each(new.handles);
        END"""
    )
    db.execute(
        """CREATE TRIGGER turns_deleted AFTER DELETE ON turns BEGIN
            DELETE FROM handles
            WHERE turn = old.id AND handle IN (SELECT value FROM json_each(old.handles));
        END"""
    )


@migrations()
def m017_confirmed(db: Database) -> None:
    """Which message confirmed a job, so that one that is run again after a crash confirms no other;
    what was there before a job, so that one whose answer was lost is told from older ones; and what
    a card shows last, so that no older text comes after it.
    """
    db.execute("ALTER TABLE jobs ADD COLUMN message INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE jobs ADD COLUMN before TEXT")  # null until it may be made
    db.execute("ALTER TABLE followers ADD COLUMN last TEXT NOT NULL DEFAULT ''")
