//! The tables of a store as SQLite and PostgreSQL both have them, to copy one into the other.

use rusqlite::types::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// The columns of its key, in whose order it is copied.
    pub(super) order: &'static str,
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Number,
    Text,
    Flag,
    Bytes,
}
use Kind::{Bytes, Flag, Number, Text};

/// All tables, each after those that it refers to.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "site",
        columns: &[("id", Number), ("name", Text), ("time_zone", Text)],
        order: "id",
    },
    Table {
        name: "user",
        columns: &[("id", Number), ("username", Text), ("active", Flag), ("may_close", Flag)],
        order: "id",
    },
    Table {
        name: "user_site",
        columns: &[("user", Number), ("site", Number)],
        order: "\"user\", site",
    },
    Table {
        name: "api_key",
        columns: &[
            ("id", Number),
            ("public_id", Text),
            ("name", Text),
            ("secret_digest", Bytes),
            ("sealed_secret", Bytes),
            ("commands", Text),
            ("sites", Text),
            ("users", Text),
            ("created_at", Number),
            ("expires_at", Number),
            ("revoked_at", Number),
            ("last_used_at", Number),
        ],
        order: "id",
    },
    Table {
        name: "execution",
        columns: &[
            ("id", Number),
            ("execution_id", Text),
            ("command", Text),
            ("plugin", Text),
            ("plugin_version", Text),
            ("plugin_digest", Text),
            ("mode", Text),
            ("site", Text),
            ("requested_by", Text),
            ("acting_user", Text),
            ("parameters_digest", Text),
            ("clock", Number),
            ("started_at", Number),
            ("finished_at", Number),
            ("lease_owner", Text),
            ("lease_until", Number),
            ("state", Text),
            ("return_data", Text),
            ("error", Text),
            ("outputs", Text),
            ("columns", Text),
            ("trusted", Text),
            ("signing_key", Text),
            ("isolation", Text),
            ("unprotected", Text),
            ("api_key", Number),
        ],
        order: "id",
    },
    Table {
        name: "execution_parameters",
        columns: &[("execution", Number), ("json", Text)],
        order: "execution",
    },
    Table {
        name: "incident",
        columns: &[
            ("id", Number),
            ("site", Number),
            ("number", Text),
            ("status", Text),
            ("version", Number),
            ("closed_at", Number),
            ("closed_by", Text),
            ("closed_in", Number),
            ("conclusion", Text),
            ("type", Text),
            ("title", Text),
            ("severity", Text),
            ("owner", Text),
            ("created_at", Number),
            ("imported_at", Number),
        ],
        order: "id",
    },
    Table {
        name: "task",
        columns: &[
            ("incident", Number),
            ("position", Number),
            ("title", Text),
            ("required", Flag),
            ("status", Text),
        ],
        order: "incident, position",
    },
    Table {
        name: "field",
        columns: &[
            ("incident", Number),
            ("position", Number),
            ("section", Text),
            ("name", Text),
            ("kind", Text),
            ("required_on_close", Flag),
            ("visible", Flag),
            ("value", Text),
        ],
        order: "incident, position",
    },
    Table {
        name: "ledger_row",
        columns: &[
            ("id", Number),
            ("result", Text),
            ("reason", Text),
            ("message", Text),
            ("cells", Text),
        ],
        order: "id",
    },
    Table {
        name: "ledger",
        columns: &[
            ("execution", Number),
            ("sequence", Number),
            ("position", Number),
            ("incident", Number),
            ("number", Text),
            ("change", Text),
            ("row", Number),
        ],
        order: "execution, sequence",
    },
    Table {
        name: "audit",
        columns: &[
            ("id", Number),
            ("incident", Number),
            ("execution", Number),
            ("action", Text),
            ("at", Number),
            ("acting_user", Text),
            ("before_status", Text),
            ("before_version", Number),
            ("before_closed_at", Number),
            ("before_closed_by", Text),
            ("before_conclusion_bytes", Number),
            ("waived", Text),
            ("before_owner", Text),
            ("owner", Text),
        ],
        order: "id",
    },
];

impl Table {
    /// Selects its rows in their order.
    pub(super) fn selecting(&self) -> String {
        let (columns, name, order) = (self.names(), self.name, self.order);
        format!("SELECT {columns} FROM \"{name}\" ORDER BY {order}")
    }

    /// Inserts one row, in SQLite.
    pub(super) fn inserting_one(&self) -> String {
        let values: Vec<String> = (1..=self.columns.len()).map(|it| format!("?{it}")).collect();
        let (columns, name) = (self.names(), self.name);
        format!("INSERT INTO \"{name}\" ({columns}) VALUES ({})", values.join(", "))
    }

    /// Inserts rows that come column by column, in PostgreSQL.
    pub(super) fn inserting_many(&self) -> String {
        let values: Vec<String> = (1..)
            .zip(self.columns)
            .map(|(place, (_, kind))| format!("${place}::{}[]", kind.postgres()))
            .collect();
        let (columns, name) = (self.names(), self.name);
        format!("INSERT INTO \"{name}\" ({columns}) SELECT * FROM unnest({})", values.join(", "))
    }

    /// Whether PostgreSQL gives its rows keys that grow.
    pub(super) fn counts_its_keys(&self) -> bool {
        self.columns.first().is_some_and(|(name, _)| *name == "id")
    }

    fn names(&self) -> String {
        let names: Vec<String> =
            self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        names.join(", ")
    }
}

impl Kind {
    fn postgres(self) -> &'static str {
        match self {
            Number => "bigint",
            Text => "text",
            Flag => "boolean",
            Bytes => "bytea",
        }
    }

    /// A value that PostgreSQL has, as SQLite has it.
    pub(super) fn value(self, row: &Row, place: usize) -> Result<Value, tokio_postgres::Error> {
        Ok(match self {
            Number => row.try_get::<_, Option<i64>>(place)?.into(),
            Text => row.try_get::<_, Option<String>>(place)?.into(),
            Flag => row.try_get::<_, Option<bool>>(place)?.map(i64::from).into(),
            Bytes => row.try_get::<_, Option<Vec<u8>>>(place)?.into(),
        })
    }

    /// Values that SQLite has, as PostgreSQL has them.
    pub(super) fn column(self, values: Vec<Value>) -> Box<dyn ToSql + Sync> {
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        match self {
            Number => Box::new(values.iter().map(number).collect::<Vec<Option<i64>>>()),
            Flag => {
                let flag = |value| number(value).map(|number| number != 0);
                Box::new(values.iter().map(flag).collect::<Vec<Option<bool>>>())
            }
            Text => {
                let text = |value| match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                };
                Box::new(values.into_iter().map(text).collect::<Vec<Option<String>>>())
            }
            Bytes => {
                let bytes = |value| match value {
                    Value::Blob(bytes) => Some(bytes),
                    _ => None,
                };
                Box::new(values.into_iter().map(bytes).collect::<Vec<Option<Vec<u8>>>>())
            }
        }
    }
}
