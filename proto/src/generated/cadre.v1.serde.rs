// Generated from proto/cadre/v1/*.proto by `UPDATE=1 cargo test -p cadre-proto codegen`.
// Do not edit.

impl serde::Serialize for Accepted {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.goal.is_some() {
            len += 1;
        }
        if self.deadline_unix_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Accepted", len)?;
        if let Some(v) = self.goal.as_ref() {
            struct_ser.serialize_field("goal", v)?;
        }
        if self.deadline_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deadlineUnixMs", ToString::to_string(&self.deadline_unix_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Accepted {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "goal",
            "deadline_unix_ms",
            "deadlineUnixMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Goal,
            DeadlineUnixMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "goal" => Ok(GeneratedField::Goal),
                            "deadlineUnixMs" | "deadline_unix_ms" => Ok(GeneratedField::DeadlineUnixMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Accepted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Accepted")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Accepted, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut goal__ = None;
                let mut deadline_unix_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Goal => {
                            if goal__.is_some() {
                                return Err(serde::de::Error::duplicate_field("goal"));
                            }
                            goal__ = map_.next_value()?;
                        }
                        GeneratedField::DeadlineUnixMs => {
                            if deadline_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineUnixMs"));
                            }
                            deadline_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Accepted {
                    goal: goal__,
                    deadline_unix_ms: deadline_unix_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Accepted", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Budget {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.steps != 0 {
            len += 1;
        }
        if self.usd_micros != 0 {
            len += 1;
        }
        if self.tokens != 0 {
            len += 1;
        }
        if self.time_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Budget", len)?;
        if self.steps != 0 {
            struct_ser.serialize_field("steps", &self.steps)?;
        }
        if self.usd_micros != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("usdMicros", ToString::to_string(&self.usd_micros).as_str())?;
        }
        if self.tokens != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tokens", ToString::to_string(&self.tokens).as_str())?;
        }
        if self.time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("timeMs", ToString::to_string(&self.time_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Budget {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "steps",
            "usd_micros",
            "usdMicros",
            "tokens",
            "time_ms",
            "timeMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Steps,
            UsdMicros,
            Tokens,
            TimeMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "steps" => Ok(GeneratedField::Steps),
                            "usdMicros" | "usd_micros" => Ok(GeneratedField::UsdMicros),
                            "tokens" => Ok(GeneratedField::Tokens),
                            "timeMs" | "time_ms" => Ok(GeneratedField::TimeMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Budget;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Budget")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Budget, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut steps__ = None;
                let mut usd_micros__ = None;
                let mut tokens__ = None;
                let mut time_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Steps => {
                            if steps__.is_some() {
                                return Err(serde::de::Error::duplicate_field("steps"));
                            }
                            steps__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UsdMicros => {
                            if usd_micros__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usdMicros"));
                            }
                            usd_micros__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Tokens => {
                            if tokens__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tokens"));
                            }
                            tokens__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TimeMs => {
                            if time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("timeMs"));
                            }
                            time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Budget {
                    steps: steps__.unwrap_or_default(),
                    usd_micros: usd_micros__.unwrap_or_default(),
                    tokens: tokens__.unwrap_or_default(),
                    time_ms: time_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Budget", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for BudgetAdded {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.by.is_empty() {
            len += 1;
        }
        if !self.key.is_empty() {
            len += 1;
        }
        if self.budget.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.BudgetAdded", len)?;
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if !self.key.is_empty() {
            struct_ser.serialize_field("key", &self.key)?;
        }
        if let Some(v) = self.budget.as_ref() {
            struct_ser.serialize_field("budget", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for BudgetAdded {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "by",
            "key",
            "budget",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            By,
            Key,
            Budget,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "by" => Ok(GeneratedField::By),
                            "key" => Ok(GeneratedField::Key),
                            "budget" => Ok(GeneratedField::Budget),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = BudgetAdded;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.BudgetAdded")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<BudgetAdded, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut by__ = None;
                let mut key__ = None;
                let mut budget__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Budget => {
                            if budget__.is_some() {
                                return Err(serde::de::Error::duplicate_field("budget"));
                            }
                            budget__ = map_.next_value()?;
                        }
                    }
                }
                Ok(BudgetAdded {
                    by: by__.unwrap_or_default(),
                    key: key__.unwrap_or_default(),
                    budget: budget__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.BudgetAdded", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for BudgetNear {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.resource != 0 {
            len += 1;
        }
        if !self.text.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.BudgetNear", len)?;
        if self.resource != 0 {
            let v = budget_near::Resource::try_from(self.resource)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.resource)))?;
            struct_ser.serialize_field("resource", &v)?;
        }
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for BudgetNear {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "resource",
            "text",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Resource,
            Text,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "resource" => Ok(GeneratedField::Resource),
                            "text" => Ok(GeneratedField::Text),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = BudgetNear;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.BudgetNear")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<BudgetNear, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut resource__ = None;
                let mut text__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Resource => {
                            if resource__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resource"));
                            }
                            resource__ = Some(map_.next_value::<budget_near::Resource>()? as i32);
                        }
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(BudgetNear {
                    resource: resource__.unwrap_or_default(),
                    text: text__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.BudgetNear", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for budget_near::Resource {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Steps => "STEPS",
            Self::Usd => "USD",
            Self::Tokens => "TOKENS",
            Self::Time => "TIME",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for budget_near::Resource {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "STEPS",
            "USD",
            "TOKENS",
            "TIME",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = budget_near::Resource;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(budget_near::Resource::Unspecified),
                    "STEPS" => Ok(budget_near::Resource::Steps),
                    "USD" => Ok(budget_near::Resource::Usd),
                    "TOKENS" => Ok(budget_near::Resource::Tokens),
                    "TIME" => Ok(budget_near::Resource::Time),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for CallBegun {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.call != 0 {
            len += 1;
        }
        if self.kind != 0 {
            len += 1;
        }
        if !self.target.is_empty() {
            len += 1;
        }
        if !self.arguments_sha256.is_empty() {
            len += 1;
        }
        if !self.description.is_empty() {
            len += 1;
        }
        if self.is_idempotent {
            len += 1;
        }
        if self.reserved.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CallBegun", len)?;
        if self.call != 0 {
            struct_ser.serialize_field("call", &self.call)?;
        }
        if self.kind != 0 {
            let v = call_begun::Kind::try_from(self.kind)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.kind)))?;
            struct_ser.serialize_field("kind", &v)?;
        }
        if !self.target.is_empty() {
            struct_ser.serialize_field("target", &self.target)?;
        }
        if !self.arguments_sha256.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("argumentsSha256", pbjson::private::base64::encode(&self.arguments_sha256).as_str())?;
        }
        if !self.description.is_empty() {
            struct_ser.serialize_field("description", &self.description)?;
        }
        if self.is_idempotent {
            struct_ser.serialize_field("isIdempotent", &self.is_idempotent)?;
        }
        if let Some(v) = self.reserved.as_ref() {
            struct_ser.serialize_field("reserved", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CallBegun {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "call",
            "kind",
            "target",
            "arguments_sha256",
            "argumentsSha256",
            "description",
            "is_idempotent",
            "isIdempotent",
            "reserved",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Call,
            Kind,
            Target,
            ArgumentsSha256,
            Description,
            IsIdempotent,
            Reserved,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "call" => Ok(GeneratedField::Call),
                            "kind" => Ok(GeneratedField::Kind),
                            "target" => Ok(GeneratedField::Target),
                            "argumentsSha256" | "arguments_sha256" => Ok(GeneratedField::ArgumentsSha256),
                            "description" => Ok(GeneratedField::Description),
                            "isIdempotent" | "is_idempotent" => Ok(GeneratedField::IsIdempotent),
                            "reserved" => Ok(GeneratedField::Reserved),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CallBegun;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CallBegun")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CallBegun, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut call__ = None;
                let mut kind__ = None;
                let mut target__ = None;
                let mut arguments_sha256__ = None;
                let mut description__ = None;
                let mut is_idempotent__ = None;
                let mut reserved__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Call => {
                            if call__.is_some() {
                                return Err(serde::de::Error::duplicate_field("call"));
                            }
                            call__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<call_begun::Kind>()? as i32);
                        }
                        GeneratedField::Target => {
                            if target__.is_some() {
                                return Err(serde::de::Error::duplicate_field("target"));
                            }
                            target__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ArgumentsSha256 => {
                            if arguments_sha256__.is_some() {
                                return Err(serde::de::Error::duplicate_field("argumentsSha256"));
                            }
                            arguments_sha256__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Description => {
                            if description__.is_some() {
                                return Err(serde::de::Error::duplicate_field("description"));
                            }
                            description__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsIdempotent => {
                            if is_idempotent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isIdempotent"));
                            }
                            is_idempotent__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reserved => {
                            if reserved__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reserved"));
                            }
                            reserved__ = map_.next_value()?;
                        }
                    }
                }
                Ok(CallBegun {
                    call: call__.unwrap_or_default(),
                    kind: kind__.unwrap_or_default(),
                    target: target__.unwrap_or_default(),
                    arguments_sha256: arguments_sha256__.unwrap_or_default(),
                    description: description__.unwrap_or_default(),
                    is_idempotent: is_idempotent__.unwrap_or_default(),
                    reserved: reserved__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CallBegun", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for call_begun::Kind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Model => "MODEL",
            Self::Tool => "TOOL",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for call_begun::Kind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "MODEL",
            "TOOL",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = call_begun::Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(call_begun::Kind::Unspecified),
                    "MODEL" => Ok(call_begun::Kind::Model),
                    "TOOL" => Ok(call_begun::Kind::Tool),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for CallDone {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.result.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CallDone", len)?;
        if let Some(v) = self.result.as_ref() {
            struct_ser.serialize_field("result", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CallDone {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "result",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Result,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "result" => Ok(GeneratedField::Result),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CallDone;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CallDone")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CallDone, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut result__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Result => {
                            if result__.is_some() {
                                return Err(serde::de::Error::duplicate_field("result"));
                            }
                            result__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(CallDone {
                    result: result__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CallDone", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CallEnded {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.call != 0 {
            len += 1;
        }
        if self.cost.is_some() {
            len += 1;
        }
        if self.ruled_by.is_some() {
            len += 1;
        }
        if self.outcome.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CallEnded", len)?;
        if self.call != 0 {
            struct_ser.serialize_field("call", &self.call)?;
        }
        if let Some(v) = self.cost.as_ref() {
            struct_ser.serialize_field("cost", v)?;
        }
        if let Some(v) = self.ruled_by.as_ref() {
            struct_ser.serialize_field("ruledBy", v)?;
        }
        if let Some(v) = self.outcome.as_ref() {
            match v {
                call_ended::Outcome::Done(v) => {
                    struct_ser.serialize_field("done", v)?;
                }
                call_ended::Outcome::Failed(v) => {
                    struct_ser.serialize_field("failed", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CallEnded {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "call",
            "cost",
            "ruled_by",
            "ruledBy",
            "done",
            "failed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Call,
            Cost,
            RuledBy,
            Done,
            Failed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "call" => Ok(GeneratedField::Call),
                            "cost" => Ok(GeneratedField::Cost),
                            "ruledBy" | "ruled_by" => Ok(GeneratedField::RuledBy),
                            "done" => Ok(GeneratedField::Done),
                            "failed" => Ok(GeneratedField::Failed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CallEnded;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CallEnded")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CallEnded, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut call__ = None;
                let mut cost__ = None;
                let mut ruled_by__ = None;
                let mut outcome__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Call => {
                            if call__.is_some() {
                                return Err(serde::de::Error::duplicate_field("call"));
                            }
                            call__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Cost => {
                            if cost__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cost"));
                            }
                            cost__ = map_.next_value()?;
                        }
                        GeneratedField::RuledBy => {
                            if ruled_by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ruledBy"));
                            }
                            ruled_by__ = map_.next_value()?;
                        }
                        GeneratedField::Done => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("done"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(call_ended::Outcome::Done)
;
                        }
                        GeneratedField::Failed => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failed"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(call_ended::Outcome::Failed)
;
                        }
                    }
                }
                Ok(CallEnded {
                    call: call__.unwrap_or_default(),
                    cost: cost__,
                    ruled_by: ruled_by__,
                    outcome: outcome__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CallEnded", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CallRuled {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if self.ruling.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CallRuled", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if let Some(v) = self.ruling.as_ref() {
            struct_ser.serialize_field("ruling", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CallRuled {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "by",
            "ruling",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            By,
            Ruling,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "by" => Ok(GeneratedField::By),
                            "ruling" => Ok(GeneratedField::Ruling),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CallRuled;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CallRuled")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CallRuled, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut by__ = None;
                let mut ruling__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Ruling => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ruling"));
                            }
                            ruling__ = map_.next_value()?;
                        }
                    }
                }
                Ok(CallRuled {
                    step: step__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    ruling: ruling__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CallRuled", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CallRuling {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.ruling.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CallRuling", len)?;
        if let Some(v) = self.ruling.as_ref() {
            match v {
                call_ruling::Ruling::Happened(v) => {
                    struct_ser.serialize_field("happened", v)?;
                }
                call_ruling::Ruling::DidNot(v) => {
                    struct_ser.serialize_field("didNot", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CallRuling {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "happened",
            "did_not",
            "didNot",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Happened,
            DidNot,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "happened" => Ok(GeneratedField::Happened),
                            "didNot" | "did_not" => Ok(GeneratedField::DidNot),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CallRuling;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CallRuling")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CallRuling, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut ruling__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Happened => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("happened"));
                            }
                            ruling__ = map_.next_value::<::std::option::Option<_>>()?.map(call_ruling::Ruling::Happened)
;
                        }
                        GeneratedField::DidNot => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("didNot"));
                            }
                            ruling__ = map_.next_value::<::std::option::Option<_>>()?.map(call_ruling::Ruling::DidNot)
;
                        }
                    }
                }
                Ok(CallRuling {
                    ruling: ruling__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CallRuling", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Cancel {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Cancel", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Cancel {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "by",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            By,
            Reason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "by" => Ok(GeneratedField::By),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Cancel;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Cancel")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Cancel, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut by__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Cancel {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Cancel", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Cause {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.kind.is_empty() {
            len += 1;
        }
        if !self.source.is_empty() {
            len += 1;
        }
        if self.sequence != 0 {
            len += 1;
        }
        if self.waited_us != 0 {
            len += 1;
        }
        if !self.models.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Cause", len)?;
        if !self.kind.is_empty() {
            struct_ser.serialize_field("kind", &self.kind)?;
        }
        if !self.source.is_empty() {
            struct_ser.serialize_field("source", &self.source)?;
        }
        if self.sequence != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("sequence", ToString::to_string(&self.sequence).as_str())?;
        }
        if self.waited_us != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("waitedUs", ToString::to_string(&self.waited_us).as_str())?;
        }
        if !self.models.is_empty() {
            struct_ser.serialize_field("models", &self.models)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Cause {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "source",
            "sequence",
            "waited_us",
            "waitedUs",
            "models",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            Source,
            Sequence,
            WaitedUs,
            Models,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "source" => Ok(GeneratedField::Source),
                            "sequence" => Ok(GeneratedField::Sequence),
                            "waitedUs" | "waited_us" => Ok(GeneratedField::WaitedUs),
                            "models" => Ok(GeneratedField::Models),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Cause;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Cause")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Cause, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut source__ = None;
                let mut sequence__ = None;
                let mut waited_us__ = None;
                let mut models__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Source => {
                            if source__.is_some() {
                                return Err(serde::de::Error::duplicate_field("source"));
                            }
                            source__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Sequence => {
                            if sequence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sequence"));
                            }
                            sequence__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::WaitedUs => {
                            if waited_us__.is_some() {
                                return Err(serde::de::Error::duplicate_field("waitedUs"));
                            }
                            waited_us__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Models => {
                            if models__.is_some() {
                                return Err(serde::de::Error::duplicate_field("models"));
                            }
                            models__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Cause {
                    kind: kind__.unwrap_or_default(),
                    source: source__.unwrap_or_default(),
                    sequence: sequence__.unwrap_or_default(),
                    waited_us: waited_us__.unwrap_or_default(),
                    models: models__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Cause", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Claimed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.attempt != 0 {
            len += 1;
        }
        if self.delivery != 0 {
            len += 1;
        }
        if !self.worker.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Claimed", len)?;
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if self.delivery != 0 {
            struct_ser.serialize_field("delivery", &self.delivery)?;
        }
        if !self.worker.is_empty() {
            struct_ser.serialize_field("worker", &self.worker)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Claimed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "attempt",
            "delivery",
            "worker",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Attempt,
            Delivery,
            Worker,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "attempt" => Ok(GeneratedField::Attempt),
                            "delivery" => Ok(GeneratedField::Delivery),
                            "worker" => Ok(GeneratedField::Worker),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Claimed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Claimed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Claimed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut attempt__ = None;
                let mut delivery__ = None;
                let mut worker__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Delivery => {
                            if delivery__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery"));
                            }
                            delivery__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Worker => {
                            if worker__.is_some() {
                                return Err(serde::de::Error::duplicate_field("worker"));
                            }
                            worker__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Claimed {
                    attempt: attempt__.unwrap_or_default(),
                    delivery: delivery__.unwrap_or_default(),
                    worker: worker__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Claimed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Compensating {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.status != 0 {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.answer.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        if self.until_unix_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Compensating", len)?;
        if self.status != 0 {
            let v = ended::Status::try_from(self.status)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.status)))?;
            struct_ser.serialize_field("status", &v)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if let Some(v) = self.answer.as_ref() {
            struct_ser.serialize_field("answer", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        if self.until_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("untilUnixMs", ToString::to_string(&self.until_unix_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Compensating {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "status",
            "reason",
            "answer",
            "usage",
            "until_unix_ms",
            "untilUnixMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Status,
            Reason,
            Answer,
            Usage,
            UntilUnixMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "status" => Ok(GeneratedField::Status),
                            "reason" => Ok(GeneratedField::Reason),
                            "answer" => Ok(GeneratedField::Answer),
                            "usage" => Ok(GeneratedField::Usage),
                            "untilUnixMs" | "until_unix_ms" => Ok(GeneratedField::UntilUnixMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Compensating;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Compensating")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Compensating, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut status__ = None;
                let mut reason__ = None;
                let mut answer__ = None;
                let mut usage__ = None;
                let mut until_unix_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Status => {
                            if status__.is_some() {
                                return Err(serde::de::Error::duplicate_field("status"));
                            }
                            status__ = Some(map_.next_value::<ended::Status>()? as i32);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Answer => {
                            if answer__.is_some() {
                                return Err(serde::de::Error::duplicate_field("answer"));
                            }
                            answer__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                        GeneratedField::UntilUnixMs => {
                            if until_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("untilUnixMs"));
                            }
                            until_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Compensating {
                    status: status__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    answer: answer__,
                    usage: usage__,
                    until_unix_ms: until_unix_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Compensating", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Completed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.output.is_some() {
            len += 1;
        }
        if self.confidence.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Completed", len)?;
        if let Some(v) = self.output.as_ref() {
            struct_ser.serialize_field("output", v)?;
        }
        if let Some(v) = self.confidence.as_ref() {
            struct_ser.serialize_field("confidence", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Completed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "output",
            "confidence",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Output,
            Confidence,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "output" => Ok(GeneratedField::Output),
                            "confidence" => Ok(GeneratedField::Confidence),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Completed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Completed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Completed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut output__ = None;
                let mut confidence__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Confidence => {
                            if confidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("confidence"));
                            }
                            confidence__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(Completed {
                    output: output__,
                    confidence: confidence__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Completed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Control {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.key.is_empty() {
            len += 1;
        }
        if self.action.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Control", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.key.is_empty() {
            struct_ser.serialize_field("key", &self.key)?;
        }
        if let Some(v) = self.action.as_ref() {
            match v {
                control::Action::Pause(v) => {
                    struct_ser.serialize_field("pause", v)?;
                }
                control::Action::Resume(v) => {
                    struct_ser.serialize_field("resume", v)?;
                }
                control::Action::Kill(v) => {
                    struct_ser.serialize_field("kill", v)?;
                }
                control::Action::AddBudget(v) => {
                    struct_ser.serialize_field("addBudget", v)?;
                }
                control::Action::Retry(v) => {
                    struct_ser.serialize_field("retry", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Control {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "by",
            "reason",
            "key",
            "pause",
            "resume",
            "kill",
            "add_budget",
            "addBudget",
            "retry",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            By,
            Reason,
            Key,
            Pause,
            Resume,
            Kill,
            AddBudget,
            Retry,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "by" => Ok(GeneratedField::By),
                            "reason" => Ok(GeneratedField::Reason),
                            "key" => Ok(GeneratedField::Key),
                            "pause" => Ok(GeneratedField::Pause),
                            "resume" => Ok(GeneratedField::Resume),
                            "kill" => Ok(GeneratedField::Kill),
                            "addBudget" | "add_budget" => Ok(GeneratedField::AddBudget),
                            "retry" => Ok(GeneratedField::Retry),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Control;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Control")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Control, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut by__ = None;
                let mut reason__ = None;
                let mut key__ = None;
                let mut action__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pause => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pause"));
                            }
                            action__ = map_.next_value::<::std::option::Option<_>>()?.map(control::Action::Pause)
;
                        }
                        GeneratedField::Resume => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resume"));
                            }
                            action__ = map_.next_value::<::std::option::Option<_>>()?.map(control::Action::Resume)
;
                        }
                        GeneratedField::Kill => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kill"));
                            }
                            action__ = map_.next_value::<::std::option::Option<_>>()?.map(control::Action::Kill)
;
                        }
                        GeneratedField::AddBudget => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("addBudget"));
                            }
                            action__ = map_.next_value::<::std::option::Option<_>>()?.map(control::Action::AddBudget)
;
                        }
                        GeneratedField::Retry => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retry"));
                            }
                            action__ = map_.next_value::<::std::option::Option<_>>()?.map(control::Action::Retry)
;
                        }
                    }
                }
                Ok(Control {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    key: key__.unwrap_or_default(),
                    action: action__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Control", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CrewBegan {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.pattern != 0 {
            len += 1;
        }
        if self.turns_max != 0 {
            len += 1;
        }
        if self.input.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.CrewBegan", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if self.pattern != 0 {
            let v = crew_began::Pattern::try_from(self.pattern)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.pattern)))?;
            struct_ser.serialize_field("pattern", &v)?;
        }
        if self.turns_max != 0 {
            struct_ser.serialize_field("turnsMax", &self.turns_max)?;
        }
        if let Some(v) = self.input.as_ref() {
            struct_ser.serialize_field("input", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CrewBegan {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "pattern",
            "turns_max",
            "turnsMax",
            "input",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Pattern,
            TurnsMax,
            Input,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "pattern" => Ok(GeneratedField::Pattern),
                            "turnsMax" | "turns_max" => Ok(GeneratedField::TurnsMax),
                            "input" => Ok(GeneratedField::Input),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CrewBegan;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.CrewBegan")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CrewBegan, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut pattern__ = None;
                let mut turns_max__ = None;
                let mut input__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pattern => {
                            if pattern__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pattern"));
                            }
                            pattern__ = Some(map_.next_value::<crew_began::Pattern>()? as i32);
                        }
                        GeneratedField::TurnsMax => {
                            if turns_max__.is_some() {
                                return Err(serde::de::Error::duplicate_field("turnsMax"));
                            }
                            turns_max__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(CrewBegan {
                    step: step__.unwrap_or_default(),
                    pattern: pattern__.unwrap_or_default(),
                    turns_max: turns_max__.unwrap_or_default(),
                    input: input__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.CrewBegan", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for crew_began::Pattern {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Network => "NETWORK",
            Self::Supervisor => "SUPERVISOR",
            Self::Planner => "PLANNER",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for crew_began::Pattern {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "NETWORK",
            "SUPERVISOR",
            "PLANNER",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = crew_began::Pattern;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(crew_began::Pattern::Unspecified),
                    "NETWORK" => Ok(crew_began::Pattern::Network),
                    "SUPERVISOR" => Ok(crew_began::Pattern::Supervisor),
                    "PLANNER" => Ok(crew_began::Pattern::Planner),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Decision {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if !self.ask_sha256.is_empty() {
            len += 1;
        }
        if !self.comment.is_empty() {
            len += 1;
        }
        if self.ruling.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Decision", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if !self.ask_sha256.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("askSha256", pbjson::private::base64::encode(&self.ask_sha256).as_str())?;
        }
        if !self.comment.is_empty() {
            struct_ser.serialize_field("comment", &self.comment)?;
        }
        if let Some(v) = self.ruling.as_ref() {
            match v {
                decision::Ruling::Granted(v) => {
                    struct_ser.serialize_field("granted", v)?;
                }
                decision::Ruling::Denied(v) => {
                    struct_ser.serialize_field("denied", v)?;
                }
                decision::Ruling::Call(v) => {
                    struct_ser.serialize_field("call", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Decision {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "step",
            "by",
            "ask_sha256",
            "askSha256",
            "comment",
            "granted",
            "denied",
            "call",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Step,
            By,
            AskSha256,
            Comment,
            Granted,
            Denied,
            Call,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "step" => Ok(GeneratedField::Step),
                            "by" => Ok(GeneratedField::By),
                            "askSha256" | "ask_sha256" => Ok(GeneratedField::AskSha256),
                            "comment" => Ok(GeneratedField::Comment),
                            "granted" => Ok(GeneratedField::Granted),
                            "denied" => Ok(GeneratedField::Denied),
                            "call" => Ok(GeneratedField::Call),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Decision;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Decision")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Decision, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut step__ = None;
                let mut by__ = None;
                let mut ask_sha256__ = None;
                let mut comment__ = None;
                let mut ruling__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AskSha256 => {
                            if ask_sha256__.is_some() {
                                return Err(serde::de::Error::duplicate_field("askSha256"));
                            }
                            ask_sha256__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Comment => {
                            if comment__.is_some() {
                                return Err(serde::de::Error::duplicate_field("comment"));
                            }
                            comment__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Granted => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("granted"));
                            }
                            ruling__ = map_.next_value::<::std::option::Option<_>>()?.map(decision::Ruling::Granted)
;
                        }
                        GeneratedField::Denied => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("denied"));
                            }
                            ruling__ = map_.next_value::<::std::option::Option<_>>()?.map(decision::Ruling::Denied)
;
                        }
                        GeneratedField::Call => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("call"));
                            }
                            ruling__ = map_.next_value::<::std::option::Option<_>>()?.map(decision::Ruling::Call)
;
                        }
                    }
                }
                Ok(Decision {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    step: step__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    ask_sha256: ask_sha256__.unwrap_or_default(),
                    comment: comment__.unwrap_or_default(),
                    ruling: ruling__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Decision", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Denied {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("cadre.v1.Denied", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Denied {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Denied;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Denied")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Denied, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Denied {
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Denied", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DidNot {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("cadre.v1.DidNot", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DidNot {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DidNot;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.DidNot")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DidNot, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(DidNot {
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.DidNot", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Ended {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.status != 0 {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.answer.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Ended", len)?;
        if self.status != 0 {
            let v = ended::Status::try_from(self.status)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.status)))?;
            struct_ser.serialize_field("status", &v)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if let Some(v) = self.answer.as_ref() {
            struct_ser.serialize_field("answer", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Ended {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "status",
            "reason",
            "answer",
            "usage",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Status,
            Reason,
            Answer,
            Usage,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "status" => Ok(GeneratedField::Status),
                            "reason" => Ok(GeneratedField::Reason),
                            "answer" => Ok(GeneratedField::Answer),
                            "usage" => Ok(GeneratedField::Usage),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Ended;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Ended")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Ended, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut status__ = None;
                let mut reason__ = None;
                let mut answer__ = None;
                let mut usage__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Status => {
                            if status__.is_some() {
                                return Err(serde::de::Error::duplicate_field("status"));
                            }
                            status__ = Some(map_.next_value::<ended::Status>()? as i32);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Answer => {
                            if answer__.is_some() {
                                return Err(serde::de::Error::duplicate_field("answer"));
                            }
                            answer__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Ended {
                    status: status__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    answer: answer__,
                    usage: usage__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Ended", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ended::Status {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Completed => "COMPLETED",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Incomplete => "INCOMPLETE",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for ended::Status {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "COMPLETED",
            "PARTIAL",
            "FAILED",
            "CANCELLED",
            "INCOMPLETE",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = ended::Status;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(ended::Status::Unspecified),
                    "COMPLETED" => Ok(ended::Status::Completed),
                    "PARTIAL" => Ok(ended::Status::Partial),
                    "FAILED" => Ok(ended::Status::Failed),
                    "CANCELLED" => Ok(ended::Status::Cancelled),
                    "INCOMPLETE" => Ok(ended::Status::Incomplete),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Event {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.kind.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Event", len)?;
        if let Some(v) = self.kind.as_ref() {
            match v {
                event::Kind::Accepted(v) => {
                    struct_ser.serialize_field("accepted", v)?;
                }
                event::Kind::Expanded(v) => {
                    struct_ser.serialize_field("expanded", v)?;
                }
                event::Kind::StepDispatched(v) => {
                    struct_ser.serialize_field("stepDispatched", v)?;
                }
                event::Kind::StepCompleted(v) => {
                    struct_ser.serialize_field("stepCompleted", v)?;
                }
                event::Kind::StepFailed(v) => {
                    struct_ser.serialize_field("stepFailed", v)?;
                }
                event::Kind::StepSkipped(v) => {
                    struct_ser.serialize_field("stepSkipped", v)?;
                }
                event::Kind::StepWaiting(v) => {
                    struct_ser.serialize_field("stepWaiting", v)?;
                }
                event::Kind::LimitReached(v) => {
                    struct_ser.serialize_field("limitReached", v)?;
                }
                event::Kind::Ended(v) => {
                    struct_ser.serialize_field("ended", v)?;
                }
                event::Kind::StepDelayed(v) => {
                    struct_ser.serialize_field("stepDelayed", v)?;
                }
                event::Kind::Voted(v) => {
                    struct_ser.serialize_field("voted", v)?;
                }
                event::Kind::BudgetNear(v) => {
                    struct_ser.serialize_field("budgetNear", v)?;
                }
                event::Kind::BudgetAdded(v) => {
                    struct_ser.serialize_field("budgetAdded", v)?;
                }
                event::Kind::Paused(v) => {
                    struct_ser.serialize_field("paused", v)?;
                }
                event::Kind::Resumed(v) => {
                    struct_ser.serialize_field("resumed", v)?;
                }
                event::Kind::Refused(v) => {
                    struct_ser.serialize_field("refused", v)?;
                }
                event::Kind::CrewBegan(v) => {
                    struct_ser.serialize_field("crewBegan", v)?;
                }
                event::Kind::HandedOff(v) => {
                    struct_ser.serialize_field("handedOff", v)?;
                }
                event::Kind::LoopFound(v) => {
                    struct_ser.serialize_field("loopFound", v)?;
                }
                event::Kind::Compensating(v) => {
                    struct_ser.serialize_field("compensating", v)?;
                }
                event::Kind::Joined(v) => {
                    struct_ser.serialize_field("joined", v)?;
                }
                event::Kind::Retried(v) => {
                    struct_ser.serialize_field("retried", v)?;
                }
                event::Kind::TakenOver(v) => {
                    struct_ser.serialize_field("takenOver", v)?;
                }
                event::Kind::Forked(v) => {
                    struct_ser.serialize_field("forked", v)?;
                }
                event::Kind::CallRuled(v) => {
                    struct_ser.serialize_field("callRuled", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Event {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "accepted",
            "expanded",
            "step_dispatched",
            "stepDispatched",
            "step_completed",
            "stepCompleted",
            "step_failed",
            "stepFailed",
            "step_skipped",
            "stepSkipped",
            "step_waiting",
            "stepWaiting",
            "limit_reached",
            "limitReached",
            "ended",
            "step_delayed",
            "stepDelayed",
            "voted",
            "budget_near",
            "budgetNear",
            "budget_added",
            "budgetAdded",
            "paused",
            "resumed",
            "refused",
            "crew_began",
            "crewBegan",
            "handed_off",
            "handedOff",
            "loop_found",
            "loopFound",
            "compensating",
            "joined",
            "retried",
            "taken_over",
            "takenOver",
            "forked",
            "call_ruled",
            "callRuled",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Accepted,
            Expanded,
            StepDispatched,
            StepCompleted,
            StepFailed,
            StepSkipped,
            StepWaiting,
            LimitReached,
            Ended,
            StepDelayed,
            Voted,
            BudgetNear,
            BudgetAdded,
            Paused,
            Resumed,
            Refused,
            CrewBegan,
            HandedOff,
            LoopFound,
            Compensating,
            Joined,
            Retried,
            TakenOver,
            Forked,
            CallRuled,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "accepted" => Ok(GeneratedField::Accepted),
                            "expanded" => Ok(GeneratedField::Expanded),
                            "stepDispatched" | "step_dispatched" => Ok(GeneratedField::StepDispatched),
                            "stepCompleted" | "step_completed" => Ok(GeneratedField::StepCompleted),
                            "stepFailed" | "step_failed" => Ok(GeneratedField::StepFailed),
                            "stepSkipped" | "step_skipped" => Ok(GeneratedField::StepSkipped),
                            "stepWaiting" | "step_waiting" => Ok(GeneratedField::StepWaiting),
                            "limitReached" | "limit_reached" => Ok(GeneratedField::LimitReached),
                            "ended" => Ok(GeneratedField::Ended),
                            "stepDelayed" | "step_delayed" => Ok(GeneratedField::StepDelayed),
                            "voted" => Ok(GeneratedField::Voted),
                            "budgetNear" | "budget_near" => Ok(GeneratedField::BudgetNear),
                            "budgetAdded" | "budget_added" => Ok(GeneratedField::BudgetAdded),
                            "paused" => Ok(GeneratedField::Paused),
                            "resumed" => Ok(GeneratedField::Resumed),
                            "refused" => Ok(GeneratedField::Refused),
                            "crewBegan" | "crew_began" => Ok(GeneratedField::CrewBegan),
                            "handedOff" | "handed_off" => Ok(GeneratedField::HandedOff),
                            "loopFound" | "loop_found" => Ok(GeneratedField::LoopFound),
                            "compensating" => Ok(GeneratedField::Compensating),
                            "joined" => Ok(GeneratedField::Joined),
                            "retried" => Ok(GeneratedField::Retried),
                            "takenOver" | "taken_over" => Ok(GeneratedField::TakenOver),
                            "forked" => Ok(GeneratedField::Forked),
                            "callRuled" | "call_ruled" => Ok(GeneratedField::CallRuled),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Event;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Event")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Event, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Accepted => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("accepted"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Accepted)
;
                        }
                        GeneratedField::Expanded => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expanded"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Expanded)
;
                        }
                        GeneratedField::StepDispatched => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepDispatched"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepDispatched)
;
                        }
                        GeneratedField::StepCompleted => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepCompleted"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepCompleted)
;
                        }
                        GeneratedField::StepFailed => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepFailed"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepFailed)
;
                        }
                        GeneratedField::StepSkipped => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepSkipped"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepSkipped)
;
                        }
                        GeneratedField::StepWaiting => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepWaiting"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepWaiting)
;
                        }
                        GeneratedField::LimitReached => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limitReached"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::LimitReached)
;
                        }
                        GeneratedField::Ended => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ended"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Ended)
;
                        }
                        GeneratedField::StepDelayed => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepDelayed"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::StepDelayed)
;
                        }
                        GeneratedField::Voted => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("voted"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Voted)
;
                        }
                        GeneratedField::BudgetNear => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("budgetNear"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::BudgetNear)
;
                        }
                        GeneratedField::BudgetAdded => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("budgetAdded"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::BudgetAdded)
;
                        }
                        GeneratedField::Paused => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("paused"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Paused)
;
                        }
                        GeneratedField::Resumed => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resumed"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Resumed)
;
                        }
                        GeneratedField::Refused => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("refused"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Refused)
;
                        }
                        GeneratedField::CrewBegan => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("crewBegan"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::CrewBegan)
;
                        }
                        GeneratedField::HandedOff => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("handedOff"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::HandedOff)
;
                        }
                        GeneratedField::LoopFound => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("loopFound"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::LoopFound)
;
                        }
                        GeneratedField::Compensating => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("compensating"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Compensating)
;
                        }
                        GeneratedField::Joined => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("joined"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Joined)
;
                        }
                        GeneratedField::Retried => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retried"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Retried)
;
                        }
                        GeneratedField::TakenOver => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("takenOver"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::TakenOver)
;
                        }
                        GeneratedField::Forked => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("forked"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::Forked)
;
                        }
                        GeneratedField::CallRuled => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callRuled"));
                            }
                            kind__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Kind::CallRuled)
;
                        }
                    }
                }
                Ok(Event {
                    kind: kind__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Event", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Expanded {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.items.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Expanded", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if let Some(v) = self.items.as_ref() {
            struct_ser.serialize_field("items", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Expanded {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "items",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Items,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "items" => Ok(GeneratedField::Items),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Expanded;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Expanded")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Expanded, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut items__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Items => {
                            if items__.is_some() {
                                return Err(serde::de::Error::duplicate_field("items"));
                            }
                            items__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Expanded {
                    step: step__.unwrap_or_default(),
                    items: items__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Expanded", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Failure {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.kind != 0 {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if self.refused.is_some() {
            len += 1;
        }
        if self.retry_after_ms.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Failure", len)?;
        if self.kind != 0 {
            let v = failure::Kind::try_from(self.kind)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.kind)))?;
            struct_ser.serialize_field("kind", &v)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if let Some(v) = self.refused.as_ref() {
            struct_ser.serialize_field("refused", v)?;
        }
        if let Some(v) = self.retry_after_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("retryAfterMs", ToString::to_string(&v).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Failure {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "message",
            "refused",
            "retry_after_ms",
            "retryAfterMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            Message,
            Refused,
            RetryAfterMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "message" => Ok(GeneratedField::Message),
                            "refused" => Ok(GeneratedField::Refused),
                            "retryAfterMs" | "retry_after_ms" => Ok(GeneratedField::RetryAfterMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Failure;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Failure")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Failure, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut message__ = None;
                let mut refused__ = None;
                let mut retry_after_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<failure::Kind>()? as i32);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Refused => {
                            if refused__.is_some() {
                                return Err(serde::de::Error::duplicate_field("refused"));
                            }
                            refused__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RetryAfterMs => {
                            if retry_after_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retryAfterMs"));
                            }
                            retry_after_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(Failure {
                    kind: kind__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    refused: refused__,
                    retry_after_ms: retry_after_ms__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Failure", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for failure::Kind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Error => "ERROR",
            Self::Panic => "PANIC",
            Self::Timeout => "TIMEOUT",
            Self::InvalidInput => "INVALID_INPUT",
            Self::InvalidOutput => "INVALID_OUTPUT",
            Self::Undecodable => "UNDECODABLE",
            Self::NotAccepted => "NOT_ACCEPTED",
            Self::Expression => "EXPRESSION",
            Self::Handoff => "HANDOFF",
            Self::Limit => "LIMIT",
            Self::Unavailable => "UNAVAILABLE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Denied => "DENIED",
            Self::Expired => "EXPIRED",
            Self::NotConverging => "NOT_CONVERGING",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for failure::Kind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "ERROR",
            "PANIC",
            "TIMEOUT",
            "INVALID_INPUT",
            "INVALID_OUTPUT",
            "UNDECODABLE",
            "NOT_ACCEPTED",
            "EXPRESSION",
            "HANDOFF",
            "LIMIT",
            "UNAVAILABLE",
            "RATE_LIMITED",
            "DENIED",
            "EXPIRED",
            "NOT_CONVERGING",
            "OUTCOME_UNKNOWN",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = failure::Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(failure::Kind::Unspecified),
                    "ERROR" => Ok(failure::Kind::Error),
                    "PANIC" => Ok(failure::Kind::Panic),
                    "TIMEOUT" => Ok(failure::Kind::Timeout),
                    "INVALID_INPUT" => Ok(failure::Kind::InvalidInput),
                    "INVALID_OUTPUT" => Ok(failure::Kind::InvalidOutput),
                    "UNDECODABLE" => Ok(failure::Kind::Undecodable),
                    "NOT_ACCEPTED" => Ok(failure::Kind::NotAccepted),
                    "EXPRESSION" => Ok(failure::Kind::Expression),
                    "HANDOFF" => Ok(failure::Kind::Handoff),
                    "LIMIT" => Ok(failure::Kind::Limit),
                    "UNAVAILABLE" => Ok(failure::Kind::Unavailable),
                    "RATE_LIMITED" => Ok(failure::Kind::RateLimited),
                    "DENIED" => Ok(failure::Kind::Denied),
                    "EXPIRED" => Ok(failure::Kind::Expired),
                    "NOT_CONVERGING" => Ok(failure::Kind::NotConverging),
                    "OUTCOME_UNKNOWN" => Ok(failure::Kind::OutcomeUnknown),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Fork {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.task.is_empty() {
            len += 1;
        }
        if self.rev != 0 {
            len += 1;
        }
        if !self.from.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Fork", len)?;
        if !self.task.is_empty() {
            struct_ser.serialize_field("task", &self.task)?;
        }
        if self.rev != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rev", ToString::to_string(&self.rev).as_str())?;
        }
        if !self.from.is_empty() {
            struct_ser.serialize_field("from", &self.from)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Fork {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "task",
            "rev",
            "from",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Task,
            Rev,
            From,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "task" => Ok(GeneratedField::Task),
                            "rev" => Ok(GeneratedField::Rev),
                            "from" => Ok(GeneratedField::From),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Fork;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Fork")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Fork, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut task__ = None;
                let mut rev__ = None;
                let mut from__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Task => {
                            if task__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task"));
                            }
                            task__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Rev => {
                            if rev__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rev"));
                            }
                            rev__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::From => {
                            if from__.is_some() {
                                return Err(serde::de::Error::duplicate_field("from"));
                            }
                            from__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Fork {
                    task: task__.unwrap_or_default(),
                    rev: rev__.unwrap_or_default(),
                    from: from__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Fork", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Forked {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.fork.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Forked", len)?;
        if let Some(v) = self.fork.as_ref() {
            struct_ser.serialize_field("fork", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Forked {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "fork",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Fork,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "fork" => Ok(GeneratedField::Fork),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Forked;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Forked")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Forked, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut fork__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Fork => {
                            if fork__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fork"));
                            }
                            fork__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Forked {
                    fork: fork__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Forked", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GatewayHold {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if self.for_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.GatewayHold", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if self.for_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("forMs", ToString::to_string(&self.for_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GatewayHold {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "for_ms",
            "forMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            ForMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "forMs" | "for_ms" => Ok(GeneratedField::ForMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GatewayHold;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.GatewayHold")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GatewayHold, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut for_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ForMs => {
                            if for_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("forMs"));
                            }
                            for_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(GatewayHold {
                    model: model__.unwrap_or_default(),
                    for_ms: for_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.GatewayHold", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GatewayLimit {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if self.per_minute != 0 {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.GatewayLimit", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if self.per_minute != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("perMinute", ToString::to_string(&self.per_minute).as_str())?;
        }
        if self.age_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("ageMs", ToString::to_string(&self.age_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GatewayLimit {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "per_minute",
            "perMinute",
            "age_ms",
            "ageMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            PerMinute,
            AgeMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "perMinute" | "per_minute" => Ok(GeneratedField::PerMinute),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GatewayLimit;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.GatewayLimit")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GatewayLimit, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut per_minute__ = None;
                let mut age_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::PerMinute => {
                            if per_minute__.is_some() {
                                return Err(serde::de::Error::duplicate_field("perMinute"));
                            }
                            per_minute__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(GatewayLimit {
                    model: model__.unwrap_or_default(),
                    per_minute: per_minute__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.GatewayLimit", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GatewayWord {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.pod.is_empty() {
            len += 1;
        }
        if !self.holds.is_empty() {
            len += 1;
        }
        if self.is_leaving {
            len += 1;
        }
        if !self.limits.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.GatewayWord", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.pod.is_empty() {
            struct_ser.serialize_field("pod", &self.pod)?;
        }
        if !self.holds.is_empty() {
            struct_ser.serialize_field("holds", &self.holds)?;
        }
        if self.is_leaving {
            struct_ser.serialize_field("isLeaving", &self.is_leaving)?;
        }
        if !self.limits.is_empty() {
            struct_ser.serialize_field("limits", &self.limits)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GatewayWord {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "pod",
            "holds",
            "is_leaving",
            "isLeaving",
            "limits",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Pod,
            Holds,
            IsLeaving,
            Limits,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "pod" => Ok(GeneratedField::Pod),
                            "holds" => Ok(GeneratedField::Holds),
                            "isLeaving" | "is_leaving" => Ok(GeneratedField::IsLeaving),
                            "limits" => Ok(GeneratedField::Limits),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GatewayWord;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.GatewayWord")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GatewayWord, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut pod__ = None;
                let mut holds__ = None;
                let mut is_leaving__ = None;
                let mut limits__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Pod => {
                            if pod__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pod"));
                            }
                            pod__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Holds => {
                            if holds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("holds"));
                            }
                            holds__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsLeaving => {
                            if is_leaving__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isLeaving"));
                            }
                            is_leaving__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Limits => {
                            if limits__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limits"));
                            }
                            limits__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GatewayWord {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    pod: pod__.unwrap_or_default(),
                    holds: holds__.unwrap_or_default(),
                    is_leaving: is_leaving__.unwrap_or_default(),
                    limits: limits__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.GatewayWord", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Goal {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.task.is_empty() {
            len += 1;
        }
        if !self.tenant.is_empty() {
            len += 1;
        }
        if !self.workflow.is_empty() {
            len += 1;
        }
        if !self.revision.is_empty() {
            len += 1;
        }
        if !self.key.is_empty() {
            len += 1;
        }
        if !self.digest.is_empty() {
            len += 1;
        }
        if self.input.is_some() {
            len += 1;
        }
        if self.deadline_unix_ms.is_some() {
            len += 1;
        }
        if self.limits.is_some() {
            len += 1;
        }
        if self.user.is_some() {
            len += 1;
        }
        if self.traceparent.is_some() {
            len += 1;
        }
        if self.fork.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Goal", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.task.is_empty() {
            struct_ser.serialize_field("task", &self.task)?;
        }
        if !self.tenant.is_empty() {
            struct_ser.serialize_field("tenant", &self.tenant)?;
        }
        if !self.workflow.is_empty() {
            struct_ser.serialize_field("workflow", &self.workflow)?;
        }
        if !self.revision.is_empty() {
            struct_ser.serialize_field("revision", &self.revision)?;
        }
        if !self.key.is_empty() {
            struct_ser.serialize_field("key", &self.key)?;
        }
        if !self.digest.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("digest", pbjson::private::base64::encode(&self.digest).as_str())?;
        }
        if let Some(v) = self.input.as_ref() {
            struct_ser.serialize_field("input", v)?;
        }
        if let Some(v) = self.deadline_unix_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deadlineUnixMs", ToString::to_string(&v).as_str())?;
        }
        if let Some(v) = self.limits.as_ref() {
            struct_ser.serialize_field("limits", v)?;
        }
        if let Some(v) = self.user.as_ref() {
            struct_ser.serialize_field("user", v)?;
        }
        if let Some(v) = self.traceparent.as_ref() {
            struct_ser.serialize_field("traceparent", v)?;
        }
        if let Some(v) = self.fork.as_ref() {
            struct_ser.serialize_field("fork", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Goal {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "task",
            "tenant",
            "workflow",
            "revision",
            "key",
            "digest",
            "input",
            "deadline_unix_ms",
            "deadlineUnixMs",
            "limits",
            "user",
            "traceparent",
            "fork",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Task,
            Tenant,
            Workflow,
            Revision,
            Key,
            Digest,
            Input,
            DeadlineUnixMs,
            Limits,
            User,
            Traceparent,
            Fork,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "task" => Ok(GeneratedField::Task),
                            "tenant" => Ok(GeneratedField::Tenant),
                            "workflow" => Ok(GeneratedField::Workflow),
                            "revision" => Ok(GeneratedField::Revision),
                            "key" => Ok(GeneratedField::Key),
                            "digest" => Ok(GeneratedField::Digest),
                            "input" => Ok(GeneratedField::Input),
                            "deadlineUnixMs" | "deadline_unix_ms" => Ok(GeneratedField::DeadlineUnixMs),
                            "limits" => Ok(GeneratedField::Limits),
                            "user" => Ok(GeneratedField::User),
                            "traceparent" => Ok(GeneratedField::Traceparent),
                            "fork" => Ok(GeneratedField::Fork),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Goal;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Goal")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Goal, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut task__ = None;
                let mut tenant__ = None;
                let mut workflow__ = None;
                let mut revision__ = None;
                let mut key__ = None;
                let mut digest__ = None;
                let mut input__ = None;
                let mut deadline_unix_ms__ = None;
                let mut limits__ = None;
                let mut user__ = None;
                let mut traceparent__ = None;
                let mut fork__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Task => {
                            if task__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task"));
                            }
                            task__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Tenant => {
                            if tenant__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tenant"));
                            }
                            tenant__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Workflow => {
                            if workflow__.is_some() {
                                return Err(serde::de::Error::duplicate_field("workflow"));
                            }
                            workflow__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Digest => {
                            if digest__.is_some() {
                                return Err(serde::de::Error::duplicate_field("digest"));
                            }
                            digest__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeadlineUnixMs => {
                            if deadline_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineUnixMs"));
                            }
                            deadline_unix_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Limits => {
                            if limits__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limits"));
                            }
                            limits__ = map_.next_value()?;
                        }
                        GeneratedField::User => {
                            if user__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            user__ = map_.next_value()?;
                        }
                        GeneratedField::Traceparent => {
                            if traceparent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("traceparent"));
                            }
                            traceparent__ = map_.next_value()?;
                        }
                        GeneratedField::Fork => {
                            if fork__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fork"));
                            }
                            fork__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Goal {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    task: task__.unwrap_or_default(),
                    tenant: tenant__.unwrap_or_default(),
                    workflow: workflow__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    key: key__.unwrap_or_default(),
                    digest: digest__.unwrap_or_default(),
                    input: input__,
                    deadline_unix_ms: deadline_unix_ms__,
                    limits: limits__,
                    user: user__,
                    traceparent: traceparent__,
                    fork: fork__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Goal", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GoalLimits {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.steps_max.is_some() {
            len += 1;
        }
        if self.usd_micros_max.is_some() {
            len += 1;
        }
        if self.tokens_max.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.GoalLimits", len)?;
        if let Some(v) = self.steps_max.as_ref() {
            struct_ser.serialize_field("stepsMax", v)?;
        }
        if let Some(v) = self.usd_micros_max.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("usdMicrosMax", ToString::to_string(&v).as_str())?;
        }
        if let Some(v) = self.tokens_max.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tokensMax", ToString::to_string(&v).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GoalLimits {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "steps_max",
            "stepsMax",
            "usd_micros_max",
            "usdMicrosMax",
            "tokens_max",
            "tokensMax",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            StepsMax,
            UsdMicrosMax,
            TokensMax,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "stepsMax" | "steps_max" => Ok(GeneratedField::StepsMax),
                            "usdMicrosMax" | "usd_micros_max" => Ok(GeneratedField::UsdMicrosMax),
                            "tokensMax" | "tokens_max" => Ok(GeneratedField::TokensMax),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GoalLimits;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.GoalLimits")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GoalLimits, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut steps_max__ = None;
                let mut usd_micros_max__ = None;
                let mut tokens_max__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::StepsMax => {
                            if steps_max__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepsMax"));
                            }
                            steps_max__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::UsdMicrosMax => {
                            if usd_micros_max__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usdMicrosMax"));
                            }
                            usd_micros_max__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::TokensMax => {
                            if tokens_max__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tokensMax"));
                            }
                            tokens_max__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(GoalLimits {
                    steps_max: steps_max__,
                    usd_micros_max: usd_micros_max__,
                    tokens_max: tokens_max__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.GoalLimits", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Grant {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.usd_micros != 0 {
            len += 1;
        }
        if self.tokens != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Grant", len)?;
        if self.usd_micros != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("usdMicros", ToString::to_string(&self.usd_micros).as_str())?;
        }
        if self.tokens != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tokens", ToString::to_string(&self.tokens).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Grant {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "usd_micros",
            "usdMicros",
            "tokens",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            UsdMicros,
            Tokens,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "usdMicros" | "usd_micros" => Ok(GeneratedField::UsdMicros),
                            "tokens" => Ok(GeneratedField::Tokens),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Grant;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Grant")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Grant, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut usd_micros__ = None;
                let mut tokens__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::UsdMicros => {
                            if usd_micros__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usdMicros"));
                            }
                            usd_micros__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Tokens => {
                            if tokens__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tokens"));
                            }
                            tokens__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Grant {
                    usd_micros: usd_micros__.unwrap_or_default(),
                    tokens: tokens__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Grant", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Granted {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.content.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Granted", len)?;
        if let Some(v) = self.content.as_ref() {
            struct_ser.serialize_field("content", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Granted {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "content",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Content,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "content" => Ok(GeneratedField::Content),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Granted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Granted")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Granted, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut content__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Content => {
                            if content__.is_some() {
                                return Err(serde::de::Error::duplicate_field("content"));
                            }
                            content__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Granted {
                    content: content__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Granted", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for HandedOff {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.to.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.HandedOff", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.to.is_empty() {
            struct_ser.serialize_field("to", &self.to)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for HandedOff {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "to",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            To,
            Reason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "to" => Ok(GeneratedField::To),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = HandedOff;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.HandedOff")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<HandedOff, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut to__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::To => {
                            if to__.is_some() {
                                return Err(serde::de::Error::duplicate_field("to"));
                            }
                            to__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(HandedOff {
                    step: step__.unwrap_or_default(),
                    to: to__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.HandedOff", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Handoff {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.to.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.output.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Handoff", len)?;
        if !self.to.is_empty() {
            struct_ser.serialize_field("to", &self.to)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if let Some(v) = self.output.as_ref() {
            struct_ser.serialize_field("output", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Handoff {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "to",
            "reason",
            "output",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            To,
            Reason,
            Output,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "to" => Ok(GeneratedField::To),
                            "reason" => Ok(GeneratedField::Reason),
                            "output" => Ok(GeneratedField::Output),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Handoff;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Handoff")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Handoff, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut to__ = None;
                let mut reason__ = None;
                let mut output__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::To => {
                            if to__.is_some() {
                                return Err(serde::de::Error::duplicate_field("to"));
                            }
                            to__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Handoff {
                    to: to__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    output: output__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Handoff", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Happened {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.result.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Happened", len)?;
        if let Some(v) = self.result.as_ref() {
            struct_ser.serialize_field("result", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Happened {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "result",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Result,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "result" => Ok(GeneratedField::Result),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Happened;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Happened")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Happened, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut result__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Result => {
                            if result__.is_some() {
                                return Err(serde::de::Error::duplicate_field("result"));
                            }
                            result__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Happened {
                    result: result__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Happened", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Joined {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.winners.is_empty() {
            len += 1;
        }
        if !self.stopped.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Joined", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.winners.is_empty() {
            struct_ser.serialize_field("winners", &self.winners)?;
        }
        if !self.stopped.is_empty() {
            struct_ser.serialize_field("stopped", &self.stopped)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Joined {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "winners",
            "stopped",
            "reason",
            "usage",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Winners,
            Stopped,
            Reason,
            Usage,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "winners" => Ok(GeneratedField::Winners),
                            "stopped" => Ok(GeneratedField::Stopped),
                            "reason" => Ok(GeneratedField::Reason),
                            "usage" => Ok(GeneratedField::Usage),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Joined;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Joined")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Joined, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut winners__ = None;
                let mut stopped__ = None;
                let mut reason__ = None;
                let mut usage__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Winners => {
                            if winners__.is_some() {
                                return Err(serde::de::Error::duplicate_field("winners"));
                            }
                            winners__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Stopped => {
                            if stopped__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stopped"));
                            }
                            stopped__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Joined {
                    step: step__.unwrap_or_default(),
                    winners: winners__.unwrap_or_default(),
                    stopped: stopped__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    usage: usage__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Joined", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for JournalEntry {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if self.rev != 0 {
            len += 1;
        }
        if self.fact.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.JournalEntry", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if self.rev != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rev", ToString::to_string(&self.rev).as_str())?;
        }
        if let Some(v) = self.fact.as_ref() {
            match v {
                journal_entry::Fact::Claimed(v) => {
                    struct_ser.serialize_field("claimed", v)?;
                }
                journal_entry::Fact::Begun(v) => {
                    struct_ser.serialize_field("begun", v)?;
                }
                journal_entry::Fact::Ended(v) => {
                    struct_ser.serialize_field("ended", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for JournalEntry {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "rev",
            "claimed",
            "begun",
            "ended",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Rev,
            Claimed,
            Begun,
            Ended,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "rev" => Ok(GeneratedField::Rev),
                            "claimed" => Ok(GeneratedField::Claimed),
                            "begun" => Ok(GeneratedField::Begun),
                            "ended" => Ok(GeneratedField::Ended),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = JournalEntry;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.JournalEntry")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<JournalEntry, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut rev__ = None;
                let mut fact__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Rev => {
                            if rev__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rev"));
                            }
                            rev__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Claimed => {
                            if fact__.is_some() {
                                return Err(serde::de::Error::duplicate_field("claimed"));
                            }
                            fact__ = map_.next_value::<::std::option::Option<_>>()?.map(journal_entry::Fact::Claimed)
;
                        }
                        GeneratedField::Begun => {
                            if fact__.is_some() {
                                return Err(serde::de::Error::duplicate_field("begun"));
                            }
                            fact__ = map_.next_value::<::std::option::Option<_>>()?.map(journal_entry::Fact::Begun)
;
                        }
                        GeneratedField::Ended => {
                            if fact__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ended"));
                            }
                            fact__ = map_.next_value::<::std::option::Option<_>>()?.map(journal_entry::Fact::Ended)
;
                        }
                    }
                }
                Ok(JournalEntry {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    rev: rev__.unwrap_or_default(),
                    fact: fact__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.JournalEntry", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Kill {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("cadre.v1.Kill", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Kill {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Kill;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Kill")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Kill, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Kill {
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Kill", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LimitReached {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.limit.is_empty() {
            len += 1;
        }
        if self.is_held {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.LimitReached", len)?;
        if !self.limit.is_empty() {
            struct_ser.serialize_field("limit", &self.limit)?;
        }
        if self.is_held {
            struct_ser.serialize_field("isHeld", &self.is_held)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LimitReached {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "limit",
            "is_held",
            "isHeld",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Limit,
            IsHeld,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "limit" => Ok(GeneratedField::Limit),
                            "isHeld" | "is_held" => Ok(GeneratedField::IsHeld),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LimitReached;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.LimitReached")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LimitReached, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut limit__ = None;
                let mut is_held__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Limit => {
                            if limit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limit"));
                            }
                            limit__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsHeld => {
                            if is_held__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isHeld"));
                            }
                            is_held__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(LimitReached {
                    limit: limit__.unwrap_or_default(),
                    is_held: is_held__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.LimitReached", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LoopFound {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.text.is_empty() {
            len += 1;
        }
        if self.evidence.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.LoopFound", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        if let Some(v) = self.evidence.as_ref() {
            struct_ser.serialize_field("evidence", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LoopFound {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "text",
            "evidence",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Text,
            Evidence,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "text" => Ok(GeneratedField::Text),
                            "evidence" => Ok(GeneratedField::Evidence),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LoopFound;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.LoopFound")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LoopFound, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut text__ = None;
                let mut evidence__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Evidence => {
                            if evidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("evidence"));
                            }
                            evidence__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(LoopFound {
                    step: step__.unwrap_or_default(),
                    text: text__.unwrap_or_default(),
                    evidence: evidence__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.LoopFound", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelAnswer {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.said.is_some() {
            len += 1;
        }
        if self.cost.is_some() {
            len += 1;
        }
        if self.choice.is_some() {
            len += 1;
        }
        if self.took_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelAnswer", len)?;
        if let Some(v) = self.said.as_ref() {
            struct_ser.serialize_field("said", v)?;
        }
        if let Some(v) = self.cost.as_ref() {
            struct_ser.serialize_field("cost", v)?;
        }
        if let Some(v) = self.choice.as_ref() {
            struct_ser.serialize_field("choice", v)?;
        }
        if self.took_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tookMs", ToString::to_string(&self.took_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelAnswer {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "said",
            "cost",
            "choice",
            "took_ms",
            "tookMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Said,
            Cost,
            Choice,
            TookMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "said" => Ok(GeneratedField::Said),
                            "cost" => Ok(GeneratedField::Cost),
                            "choice" => Ok(GeneratedField::Choice),
                            "tookMs" | "took_ms" => Ok(GeneratedField::TookMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelAnswer;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelAnswer")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelAnswer, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut said__ = None;
                let mut cost__ = None;
                let mut choice__ = None;
                let mut took_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Said => {
                            if said__.is_some() {
                                return Err(serde::de::Error::duplicate_field("said"));
                            }
                            said__ = map_.next_value()?;
                        }
                        GeneratedField::Cost => {
                            if cost__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cost"));
                            }
                            cost__ = map_.next_value()?;
                        }
                        GeneratedField::Choice => {
                            if choice__.is_some() {
                                return Err(serde::de::Error::duplicate_field("choice"));
                            }
                            choice__ = map_.next_value()?;
                        }
                        GeneratedField::TookMs => {
                            if took_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tookMs"));
                            }
                            took_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ModelAnswer {
                    said: said__,
                    cost: cost__,
                    choice: choice__,
                    took_ms: took_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelAnswer", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelAsk {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.task.is_empty() {
            len += 1;
        }
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if !self.workflow.is_empty() {
            len += 1;
        }
        if !self.revision.is_empty() {
            len += 1;
        }
        if !self.alias.is_empty() {
            len += 1;
        }
        if !self.key.is_empty() {
            len += 1;
        }
        if self.prompt.is_some() {
            len += 1;
        }
        if self.manner.is_some() {
            len += 1;
        }
        if self.grant.is_some() {
            len += 1;
        }
        if self.is_followed {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelAsk", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.task.is_empty() {
            struct_ser.serialize_field("task", &self.task)?;
        }
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if !self.workflow.is_empty() {
            struct_ser.serialize_field("workflow", &self.workflow)?;
        }
        if !self.revision.is_empty() {
            struct_ser.serialize_field("revision", &self.revision)?;
        }
        if !self.alias.is_empty() {
            struct_ser.serialize_field("alias", &self.alias)?;
        }
        if !self.key.is_empty() {
            struct_ser.serialize_field("key", &self.key)?;
        }
        if let Some(v) = self.prompt.as_ref() {
            struct_ser.serialize_field("prompt", v)?;
        }
        if let Some(v) = self.manner.as_ref() {
            struct_ser.serialize_field("manner", v)?;
        }
        if let Some(v) = self.grant.as_ref() {
            struct_ser.serialize_field("grant", v)?;
        }
        if self.is_followed {
            struct_ser.serialize_field("isFollowed", &self.is_followed)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelAsk {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "task",
            "step",
            "role",
            "workflow",
            "revision",
            "alias",
            "key",
            "prompt",
            "manner",
            "grant",
            "is_followed",
            "isFollowed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Task,
            Step,
            Role,
            Workflow,
            Revision,
            Alias,
            Key,
            Prompt,
            Manner,
            Grant,
            IsFollowed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "task" => Ok(GeneratedField::Task),
                            "step" => Ok(GeneratedField::Step),
                            "role" => Ok(GeneratedField::Role),
                            "workflow" => Ok(GeneratedField::Workflow),
                            "revision" => Ok(GeneratedField::Revision),
                            "alias" => Ok(GeneratedField::Alias),
                            "key" => Ok(GeneratedField::Key),
                            "prompt" => Ok(GeneratedField::Prompt),
                            "manner" => Ok(GeneratedField::Manner),
                            "grant" => Ok(GeneratedField::Grant),
                            "isFollowed" | "is_followed" => Ok(GeneratedField::IsFollowed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelAsk;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelAsk")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelAsk, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut task__ = None;
                let mut step__ = None;
                let mut role__ = None;
                let mut workflow__ = None;
                let mut revision__ = None;
                let mut alias__ = None;
                let mut key__ = None;
                let mut prompt__ = None;
                let mut manner__ = None;
                let mut grant__ = None;
                let mut is_followed__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Task => {
                            if task__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task"));
                            }
                            task__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Workflow => {
                            if workflow__.is_some() {
                                return Err(serde::de::Error::duplicate_field("workflow"));
                            }
                            workflow__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Alias => {
                            if alias__.is_some() {
                                return Err(serde::de::Error::duplicate_field("alias"));
                            }
                            alias__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Prompt => {
                            if prompt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("prompt"));
                            }
                            prompt__ = map_.next_value()?;
                        }
                        GeneratedField::Manner => {
                            if manner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("manner"));
                            }
                            manner__ = map_.next_value()?;
                        }
                        GeneratedField::Grant => {
                            if grant__.is_some() {
                                return Err(serde::de::Error::duplicate_field("grant"));
                            }
                            grant__ = map_.next_value()?;
                        }
                        GeneratedField::IsFollowed => {
                            if is_followed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isFollowed"));
                            }
                            is_followed__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelAsk {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    task: task__.unwrap_or_default(),
                    step: step__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    workflow: workflow__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    alias: alias__.unwrap_or_default(),
                    key: key__.unwrap_or_default(),
                    prompt: prompt__,
                    manner: manner__,
                    grant: grant__,
                    is_followed: is_followed__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelAsk", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelChoice {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if !self.why.is_empty() {
            len += 1;
        }
        if !self.passed.is_empty() {
            len += 1;
        }
        if self.is_degraded {
            len += 1;
        }
        if self.is_cached {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelChoice", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if !self.why.is_empty() {
            struct_ser.serialize_field("why", &self.why)?;
        }
        if !self.passed.is_empty() {
            struct_ser.serialize_field("passed", &self.passed)?;
        }
        if self.is_degraded {
            struct_ser.serialize_field("isDegraded", &self.is_degraded)?;
        }
        if self.is_cached {
            struct_ser.serialize_field("isCached", &self.is_cached)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelChoice {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "why",
            "passed",
            "is_degraded",
            "isDegraded",
            "is_cached",
            "isCached",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            Why,
            Passed,
            IsDegraded,
            IsCached,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "why" => Ok(GeneratedField::Why),
                            "passed" => Ok(GeneratedField::Passed),
                            "isDegraded" | "is_degraded" => Ok(GeneratedField::IsDegraded),
                            "isCached" | "is_cached" => Ok(GeneratedField::IsCached),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelChoice;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelChoice")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelChoice, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut why__ = None;
                let mut passed__ = None;
                let mut is_degraded__ = None;
                let mut is_cached__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Why => {
                            if why__.is_some() {
                                return Err(serde::de::Error::duplicate_field("why"));
                            }
                            why__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Passed => {
                            if passed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("passed"));
                            }
                            passed__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsDegraded => {
                            if is_degraded__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isDegraded"));
                            }
                            is_degraded__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsCached => {
                            if is_cached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isCached"));
                            }
                            is_cached__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelChoice {
                    model: model__.unwrap_or_default(),
                    why: why__.unwrap_or_default(),
                    passed: passed__.unwrap_or_default(),
                    is_degraded: is_degraded__.unwrap_or_default(),
                    is_cached: is_cached__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelChoice", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelFailure {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.failure.is_some() {
            len += 1;
        }
        if self.cost.is_some() {
            len += 1;
        }
        if !self.passed.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelFailure", len)?;
        if let Some(v) = self.failure.as_ref() {
            struct_ser.serialize_field("failure", v)?;
        }
        if let Some(v) = self.cost.as_ref() {
            struct_ser.serialize_field("cost", v)?;
        }
        if !self.passed.is_empty() {
            struct_ser.serialize_field("passed", &self.passed)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelFailure {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "failure",
            "cost",
            "passed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Failure,
            Cost,
            Passed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "failure" => Ok(GeneratedField::Failure),
                            "cost" => Ok(GeneratedField::Cost),
                            "passed" => Ok(GeneratedField::Passed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelFailure;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelFailure")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelFailure, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut failure__ = None;
                let mut cost__ = None;
                let mut passed__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Failure => {
                            if failure__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failure"));
                            }
                            failure__ = map_.next_value()?;
                        }
                        GeneratedField::Cost => {
                            if cost__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cost"));
                            }
                            cost__ = map_.next_value()?;
                        }
                        GeneratedField::Passed => {
                            if passed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("passed"));
                            }
                            passed__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelFailure {
                    failure: failure__,
                    cost: cost__,
                    passed: passed__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelFailure", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelManner {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.returns.is_some() {
            len += 1;
        }
        if self.output_tokens_max != 0 {
            len += 1;
        }
        if self.temperature_millis.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelManner", len)?;
        if let Some(v) = self.returns.as_ref() {
            struct_ser.serialize_field("returns", v)?;
        }
        if self.output_tokens_max != 0 {
            struct_ser.serialize_field("outputTokensMax", &self.output_tokens_max)?;
        }
        if let Some(v) = self.temperature_millis.as_ref() {
            struct_ser.serialize_field("temperatureMillis", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelManner {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "returns",
            "output_tokens_max",
            "outputTokensMax",
            "temperature_millis",
            "temperatureMillis",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Returns,
            OutputTokensMax,
            TemperatureMillis,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "returns" => Ok(GeneratedField::Returns),
                            "outputTokensMax" | "output_tokens_max" => Ok(GeneratedField::OutputTokensMax),
                            "temperatureMillis" | "temperature_millis" => Ok(GeneratedField::TemperatureMillis),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelManner;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelManner")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelManner, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut returns__ = None;
                let mut output_tokens_max__ = None;
                let mut temperature_millis__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Returns => {
                            if returns__.is_some() {
                                return Err(serde::de::Error::duplicate_field("returns"));
                            }
                            returns__ = map_.next_value()?;
                        }
                        GeneratedField::OutputTokensMax => {
                            if output_tokens_max__.is_some() {
                                return Err(serde::de::Error::duplicate_field("outputTokensMax"));
                            }
                            output_tokens_max__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TemperatureMillis => {
                            if temperature_millis__.is_some() {
                                return Err(serde::de::Error::duplicate_field("temperatureMillis"));
                            }
                            temperature_millis__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(ModelManner {
                    returns: returns__,
                    output_tokens_max: output_tokens_max__.unwrap_or_default(),
                    temperature_millis: temperature_millis__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelManner", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelPart {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.key.is_empty() {
            len += 1;
        }
        if self.offset != 0 {
            len += 1;
        }
        if !self.text.is_empty() {
            len += 1;
        }
        if self.is_end {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelPart", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.key.is_empty() {
            struct_ser.serialize_field("key", &self.key)?;
        }
        if self.offset != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("offset", ToString::to_string(&self.offset).as_str())?;
        }
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        if self.is_end {
            struct_ser.serialize_field("isEnd", &self.is_end)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelPart {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "key",
            "offset",
            "text",
            "is_end",
            "isEnd",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Key,
            Offset,
            Text,
            IsEnd,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "key" => Ok(GeneratedField::Key),
                            "offset" => Ok(GeneratedField::Offset),
                            "text" => Ok(GeneratedField::Text),
                            "isEnd" | "is_end" => Ok(GeneratedField::IsEnd),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelPart;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelPart")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelPart, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut key__ = None;
                let mut offset__ = None;
                let mut text__ = None;
                let mut is_end__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Offset => {
                            if offset__.is_some() {
                                return Err(serde::de::Error::duplicate_field("offset"));
                            }
                            offset__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsEnd => {
                            if is_end__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isEnd"));
                            }
                            is_end__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelPart {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    key: key__.unwrap_or_default(),
                    offset: offset__.unwrap_or_default(),
                    text: text__.unwrap_or_default(),
                    is_end: is_end__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelPart", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelPrompt {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.system.is_empty() {
            len += 1;
        }
        if !self.tools.is_empty() {
            len += 1;
        }
        if !self.turns.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelPrompt", len)?;
        if !self.system.is_empty() {
            struct_ser.serialize_field("system", &self.system)?;
        }
        if !self.tools.is_empty() {
            struct_ser.serialize_field("tools", &self.tools)?;
        }
        if !self.turns.is_empty() {
            struct_ser.serialize_field("turns", &self.turns)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelPrompt {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "system",
            "tools",
            "turns",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            System,
            Tools,
            Turns,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "system" => Ok(GeneratedField::System),
                            "tools" => Ok(GeneratedField::Tools),
                            "turns" => Ok(GeneratedField::Turns),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelPrompt;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelPrompt")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelPrompt, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut system__ = None;
                let mut tools__ = None;
                let mut turns__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::System => {
                            if system__.is_some() {
                                return Err(serde::de::Error::duplicate_field("system"));
                            }
                            system__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Tools => {
                            if tools__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tools"));
                            }
                            tools__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Turns => {
                            if turns__.is_some() {
                                return Err(serde::de::Error::duplicate_field("turns"));
                            }
                            turns__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelPrompt {
                    system: system__.unwrap_or_default(),
                    tools: tools__.unwrap_or_default(),
                    turns: turns__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelPrompt", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelReply {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if self.outcome.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelReply", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if let Some(v) = self.outcome.as_ref() {
            match v {
                model_reply::Outcome::Answer(v) => {
                    struct_ser.serialize_field("answer", v)?;
                }
                model_reply::Outcome::Failure(v) => {
                    struct_ser.serialize_field("failure", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelReply {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "answer",
            "failure",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Answer,
            Failure,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "answer" => Ok(GeneratedField::Answer),
                            "failure" => Ok(GeneratedField::Failure),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelReply;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelReply")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelReply, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut outcome__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Answer => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("answer"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(model_reply::Outcome::Answer)
;
                        }
                        GeneratedField::Failure => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failure"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(model_reply::Outcome::Failure)
;
                        }
                    }
                }
                Ok(ModelReply {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    outcome: outcome__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelReply", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelSaid {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.text.is_empty() {
            len += 1;
        }
        if !self.calls.is_empty() {
            len += 1;
        }
        if self.finish != 0 {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        if self.thoughts.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelSaid", len)?;
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        if !self.calls.is_empty() {
            struct_ser.serialize_field("calls", &self.calls)?;
        }
        if self.finish != 0 {
            let v = model_said::Finish::try_from(self.finish)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.finish)))?;
            struct_ser.serialize_field("finish", &v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        if let Some(v) = self.thoughts.as_ref() {
            struct_ser.serialize_field("thoughts", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelSaid {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "text",
            "calls",
            "finish",
            "usage",
            "thoughts",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Text,
            Calls,
            Finish,
            Usage,
            Thoughts,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "text" => Ok(GeneratedField::Text),
                            "calls" => Ok(GeneratedField::Calls),
                            "finish" => Ok(GeneratedField::Finish),
                            "usage" => Ok(GeneratedField::Usage),
                            "thoughts" => Ok(GeneratedField::Thoughts),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelSaid;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelSaid")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelSaid, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut text__ = None;
                let mut calls__ = None;
                let mut finish__ = None;
                let mut usage__ = None;
                let mut thoughts__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Calls => {
                            if calls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("calls"));
                            }
                            calls__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Finish => {
                            if finish__.is_some() {
                                return Err(serde::de::Error::duplicate_field("finish"));
                            }
                            finish__ = Some(map_.next_value::<model_said::Finish>()? as i32);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                        GeneratedField::Thoughts => {
                            if thoughts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("thoughts"));
                            }
                            thoughts__ = map_.next_value()?;
                        }
                    }
                }
                Ok(ModelSaid {
                    text: text__.unwrap_or_default(),
                    calls: calls__.unwrap_or_default(),
                    finish: finish__.unwrap_or_default(),
                    usage: usage__,
                    thoughts: thoughts__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelSaid", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for model_said::Finish {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "FINISH_UNSPECIFIED",
            Self::Stop => "STOP",
            Self::Length => "LENGTH",
            Self::Tools => "TOOLS",
            Self::Filtered => "FILTERED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for model_said::Finish {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "FINISH_UNSPECIFIED",
            "STOP",
            "LENGTH",
            "TOOLS",
            "FILTERED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = model_said::Finish;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "FINISH_UNSPECIFIED" => Ok(model_said::Finish::Unspecified),
                    "STOP" => Ok(model_said::Finish::Stop),
                    "LENGTH" => Ok(model_said::Finish::Length),
                    "TOOLS" => Ok(model_said::Finish::Tools),
                    "FILTERED" => Ok(model_said::Finish::Filtered),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ModelSpoke {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.text.is_empty() {
            len += 1;
        }
        if !self.calls.is_empty() {
            len += 1;
        }
        if self.thoughts.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelSpoke", len)?;
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        if !self.calls.is_empty() {
            struct_ser.serialize_field("calls", &self.calls)?;
        }
        if let Some(v) = self.thoughts.as_ref() {
            struct_ser.serialize_field("thoughts", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelSpoke {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "text",
            "calls",
            "thoughts",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Text,
            Calls,
            Thoughts,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "text" => Ok(GeneratedField::Text),
                            "calls" => Ok(GeneratedField::Calls),
                            "thoughts" => Ok(GeneratedField::Thoughts),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelSpoke;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelSpoke")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelSpoke, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut text__ = None;
                let mut calls__ = None;
                let mut thoughts__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Calls => {
                            if calls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("calls"));
                            }
                            calls__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Thoughts => {
                            if thoughts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("thoughts"));
                            }
                            thoughts__ = map_.next_value()?;
                        }
                    }
                }
                Ok(ModelSpoke {
                    text: text__.unwrap_or_default(),
                    calls: calls__.unwrap_or_default(),
                    thoughts: thoughts__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelSpoke", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelThoughts {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if !self.parts.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelThoughts", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if !self.parts.is_empty() {
            struct_ser.serialize_field("parts", &self.parts)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelThoughts {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "parts",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            Parts,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "parts" => Ok(GeneratedField::Parts),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelThoughts;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelThoughts")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelThoughts, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut parts__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Parts => {
                            if parts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("parts"));
                            }
                            parts__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelThoughts {
                    model: model__.unwrap_or_default(),
                    parts: parts__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelThoughts", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelTokens {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.input != 0 {
            len += 1;
        }
        if self.cached != 0 {
            len += 1;
        }
        if self.cache_write != 0 {
            len += 1;
        }
        if self.output != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelTokens", len)?;
        if self.input != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("input", ToString::to_string(&self.input).as_str())?;
        }
        if self.cached != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("cached", ToString::to_string(&self.cached).as_str())?;
        }
        if self.cache_write != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("cacheWrite", ToString::to_string(&self.cache_write).as_str())?;
        }
        if self.output != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("output", ToString::to_string(&self.output).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelTokens {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "input",
            "cached",
            "cache_write",
            "cacheWrite",
            "output",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Input,
            Cached,
            CacheWrite,
            Output,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "input" => Ok(GeneratedField::Input),
                            "cached" => Ok(GeneratedField::Cached),
                            "cacheWrite" | "cache_write" => Ok(GeneratedField::CacheWrite),
                            "output" => Ok(GeneratedField::Output),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelTokens;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelTokens")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelTokens, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut input__ = None;
                let mut cached__ = None;
                let mut cache_write__ = None;
                let mut output__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Cached => {
                            if cached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cached"));
                            }
                            cached__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::CacheWrite => {
                            if cache_write__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cacheWrite"));
                            }
                            cache_write__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ModelTokens {
                    input: input__.unwrap_or_default(),
                    cached: cached__.unwrap_or_default(),
                    cache_write: cache_write__.unwrap_or_default(),
                    output: output__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelTokens", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelTool {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.description.is_empty() {
            len += 1;
        }
        if !self.parameters.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelTool", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.description.is_empty() {
            struct_ser.serialize_field("description", &self.description)?;
        }
        if !self.parameters.is_empty() {
            struct_ser.serialize_field("parameters", &self.parameters)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelTool {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "description",
            "parameters",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Description,
            Parameters,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "description" => Ok(GeneratedField::Description),
                            "parameters" => Ok(GeneratedField::Parameters),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelTool;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelTool")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelTool, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut description__ = None;
                let mut parameters__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Description => {
                            if description__.is_some() {
                                return Err(serde::de::Error::duplicate_field("description"));
                            }
                            description__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Parameters => {
                            if parameters__.is_some() {
                                return Err(serde::de::Error::duplicate_field("parameters"));
                            }
                            parameters__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelTool {
                    name: name__.unwrap_or_default(),
                    description: description__.unwrap_or_default(),
                    parameters: parameters__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelTool", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelToolCall {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.id.is_empty() {
            len += 1;
        }
        if !self.tool.is_empty() {
            len += 1;
        }
        if !self.arguments.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelToolCall", len)?;
        if !self.id.is_empty() {
            struct_ser.serialize_field("id", &self.id)?;
        }
        if !self.tool.is_empty() {
            struct_ser.serialize_field("tool", &self.tool)?;
        }
        if !self.arguments.is_empty() {
            struct_ser.serialize_field("arguments", &self.arguments)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelToolCall {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "id",
            "tool",
            "arguments",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Id,
            Tool,
            Arguments,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "id" => Ok(GeneratedField::Id),
                            "tool" => Ok(GeneratedField::Tool),
                            "arguments" => Ok(GeneratedField::Arguments),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelToolCall;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelToolCall")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelToolCall, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut id__ = None;
                let mut tool__ = None;
                let mut arguments__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Id => {
                            if id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("id"));
                            }
                            id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Tool => {
                            if tool__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tool"));
                            }
                            tool__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Arguments => {
                            if arguments__.is_some() {
                                return Err(serde::de::Error::duplicate_field("arguments"));
                            }
                            arguments__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ModelToolCall {
                    id: id__.unwrap_or_default(),
                    tool: tool__.unwrap_or_default(),
                    arguments: arguments__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelToolCall", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelTurn {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.turn.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelTurn", len)?;
        if let Some(v) = self.turn.as_ref() {
            match v {
                model_turn::Turn::User(v) => {
                    struct_ser.serialize_field("user", v)?;
                }
                model_turn::Turn::Model(v) => {
                    struct_ser.serialize_field("model", v)?;
                }
                model_turn::Turn::Tool(v) => {
                    struct_ser.serialize_field("tool", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelTurn {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "user",
            "model",
            "tool",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            User,
            Model,
            Tool,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "user" => Ok(GeneratedField::User),
                            "model" => Ok(GeneratedField::Model),
                            "tool" => Ok(GeneratedField::Tool),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelTurn;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelTurn")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelTurn, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut turn__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::User => {
                            if turn__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            turn__ = map_.next_value::<::std::option::Option<_>>()?.map(model_turn::Turn::User);
                        }
                        GeneratedField::Model => {
                            if turn__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            turn__ = map_.next_value::<::std::option::Option<_>>()?.map(model_turn::Turn::Model)
;
                        }
                        GeneratedField::Tool => {
                            if turn__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tool"));
                            }
                            turn__ = map_.next_value::<::std::option::Option<_>>()?.map(model_turn::Turn::Tool)
;
                        }
                    }
                }
                Ok(ModelTurn {
                    turn: turn__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelTurn", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ModelUse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if self.calls != 0 {
            len += 1;
        }
        if self.usd_micros != 0 {
            len += 1;
        }
        if self.tokens != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ModelUse", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if self.calls != 0 {
            struct_ser.serialize_field("calls", &self.calls)?;
        }
        if self.usd_micros != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("usdMicros", ToString::to_string(&self.usd_micros).as_str())?;
        }
        if self.tokens != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tokens", ToString::to_string(&self.tokens).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ModelUse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "calls",
            "usd_micros",
            "usdMicros",
            "tokens",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            Calls,
            UsdMicros,
            Tokens,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "calls" => Ok(GeneratedField::Calls),
                            "usdMicros" | "usd_micros" => Ok(GeneratedField::UsdMicros),
                            "tokens" => Ok(GeneratedField::Tokens),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ModelUse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ModelUse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ModelUse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut calls__ = None;
                let mut usd_micros__ = None;
                let mut tokens__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Calls => {
                            if calls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("calls"));
                            }
                            calls__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UsdMicros => {
                            if usd_micros__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usdMicros"));
                            }
                            usd_micros__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Tokens => {
                            if tokens__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tokens"));
                            }
                            tokens__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ModelUse {
                    model: model__.unwrap_or_default(),
                    calls: calls__.unwrap_or_default(),
                    usd_micros: usd_micros__.unwrap_or_default(),
                    tokens: tokens__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ModelUse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for NeedsHuman {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.question.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.NeedsHuman", len)?;
        if !self.question.is_empty() {
            struct_ser.serialize_field("question", &self.question)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for NeedsHuman {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "question",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Question,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "question" => Ok(GeneratedField::Question),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = NeedsHuman;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.NeedsHuman")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<NeedsHuman, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut question__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Question => {
                            if question__.is_some() {
                                return Err(serde::de::Error::duplicate_field("question"));
                            }
                            question__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(NeedsHuman {
                    question: question__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.NeedsHuman", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PassedOver {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.model.is_empty() {
            len += 1;
        }
        if !self.why.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.PassedOver", len)?;
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if !self.why.is_empty() {
            struct_ser.serialize_field("why", &self.why)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PassedOver {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "model",
            "why",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Model,
            Why,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "model" => Ok(GeneratedField::Model),
                            "why" => Ok(GeneratedField::Why),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PassedOver;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.PassedOver")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PassedOver, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut model__ = None;
                let mut why__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Why => {
                            if why__.is_some() {
                                return Err(serde::de::Error::duplicate_field("why"));
                            }
                            why__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(PassedOver {
                    model: model__.unwrap_or_default(),
                    why: why__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.PassedOver", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Pause {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("cadre.v1.Pause", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Pause {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Pause;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Pause")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Pause, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Pause {
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Pause", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Paused {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.by.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Paused", len)?;
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Paused {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "by",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            By,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "by" => Ok(GeneratedField::By),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Paused;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Paused")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Paused, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut by__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Paused {
                    by: by__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Paused", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Record {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if self.rev != 0 {
            len += 1;
        }
        if !self.txn.is_empty() {
            len += 1;
        }
        if !self.prev_sha256.is_empty() {
            len += 1;
        }
        if self.at_unix_ms != 0 {
            len += 1;
        }
        if self.cause.is_some() {
            len += 1;
        }
        if !self.decision.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.events.is_empty() {
            len += 1;
        }
        if !self.writer.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Record", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if self.rev != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rev", ToString::to_string(&self.rev).as_str())?;
        }
        if !self.txn.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("txn", pbjson::private::base64::encode(&self.txn).as_str())?;
        }
        if !self.prev_sha256.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("prevSha256", pbjson::private::base64::encode(&self.prev_sha256).as_str())?;
        }
        if self.at_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("atUnixMs", ToString::to_string(&self.at_unix_ms).as_str())?;
        }
        if let Some(v) = self.cause.as_ref() {
            struct_ser.serialize_field("cause", v)?;
        }
        if !self.decision.is_empty() {
            struct_ser.serialize_field("decision", &self.decision)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.events.is_empty() {
            struct_ser.serialize_field("events", &self.events)?;
        }
        if !self.writer.is_empty() {
            struct_ser.serialize_field("writer", &self.writer)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Record {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "rev",
            "txn",
            "prev_sha256",
            "prevSha256",
            "at_unix_ms",
            "atUnixMs",
            "cause",
            "decision",
            "reason",
            "events",
            "writer",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Rev,
            Txn,
            PrevSha256,
            AtUnixMs,
            Cause,
            Decision,
            Reason,
            Events,
            Writer,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "rev" => Ok(GeneratedField::Rev),
                            "txn" => Ok(GeneratedField::Txn),
                            "prevSha256" | "prev_sha256" => Ok(GeneratedField::PrevSha256),
                            "atUnixMs" | "at_unix_ms" => Ok(GeneratedField::AtUnixMs),
                            "cause" => Ok(GeneratedField::Cause),
                            "decision" => Ok(GeneratedField::Decision),
                            "reason" => Ok(GeneratedField::Reason),
                            "events" => Ok(GeneratedField::Events),
                            "writer" => Ok(GeneratedField::Writer),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Record;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Record")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Record, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut rev__ = None;
                let mut txn__ = None;
                let mut prev_sha256__ = None;
                let mut at_unix_ms__ = None;
                let mut cause__ = None;
                let mut decision__ = None;
                let mut reason__ = None;
                let mut events__ = None;
                let mut writer__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Rev => {
                            if rev__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rev"));
                            }
                            rev__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Txn => {
                            if txn__.is_some() {
                                return Err(serde::de::Error::duplicate_field("txn"));
                            }
                            txn__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PrevSha256 => {
                            if prev_sha256__.is_some() {
                                return Err(serde::de::Error::duplicate_field("prevSha256"));
                            }
                            prev_sha256__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AtUnixMs => {
                            if at_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("atUnixMs"));
                            }
                            at_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Cause => {
                            if cause__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cause"));
                            }
                            cause__ = map_.next_value()?;
                        }
                        GeneratedField::Decision => {
                            if decision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("decision"));
                            }
                            decision__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Events => {
                            if events__.is_some() {
                                return Err(serde::de::Error::duplicate_field("events"));
                            }
                            events__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Writer => {
                            if writer__.is_some() {
                                return Err(serde::de::Error::duplicate_field("writer"));
                            }
                            writer__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Record {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    rev: rev__.unwrap_or_default(),
                    txn: txn__.unwrap_or_default(),
                    prev_sha256: prev_sha256__.unwrap_or_default(),
                    at_unix_ms: at_unix_ms__.unwrap_or_default(),
                    cause: cause__,
                    decision: decision__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    events: events__.unwrap_or_default(),
                    writer: writer__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Record", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Refused {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.what.is_empty() {
            len += 1;
        }
        if !self.why.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Refused", len)?;
        if !self.what.is_empty() {
            struct_ser.serialize_field("what", &self.what)?;
        }
        if !self.why.is_empty() {
            struct_ser.serialize_field("why", &self.why)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Refused {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "what",
            "why",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            What,
            Why,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "what" => Ok(GeneratedField::What),
                            "why" => Ok(GeneratedField::Why),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Refused;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Refused")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Refused, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut what__ = None;
                let mut why__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::What => {
                            if what__.is_some() {
                                return Err(serde::de::Error::duplicate_field("what"));
                            }
                            what__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Why => {
                            if why__.is_some() {
                                return Err(serde::de::Error::duplicate_field("why"));
                            }
                            why__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Refused {
                    what: what__.unwrap_or_default(),
                    why: why__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Refused", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Report {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.task.is_empty() {
            len += 1;
        }
        if !self.step.is_empty() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        if !self.worker.is_empty() {
            len += 1;
        }
        if self.degraded.is_some() {
            len += 1;
        }
        if !self.models.is_empty() {
            len += 1;
        }
        if self.outcome.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Report", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.task.is_empty() {
            struct_ser.serialize_field("task", &self.task)?;
        }
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        if !self.worker.is_empty() {
            struct_ser.serialize_field("worker", &self.worker)?;
        }
        if let Some(v) = self.degraded.as_ref() {
            struct_ser.serialize_field("degraded", v)?;
        }
        if !self.models.is_empty() {
            struct_ser.serialize_field("models", &self.models)?;
        }
        if let Some(v) = self.outcome.as_ref() {
            match v {
                report::Outcome::Completed(v) => {
                    struct_ser.serialize_field("completed", v)?;
                }
                report::Outcome::Unsure(v) => {
                    struct_ser.serialize_field("unsure", v)?;
                }
                report::Outcome::Failed(v) => {
                    struct_ser.serialize_field("failed", v)?;
                }
                report::Outcome::Handoff(v) => {
                    struct_ser.serialize_field("handoff", v)?;
                }
                report::Outcome::NeedsHuman(v) => {
                    struct_ser.serialize_field("needsHuman", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Report {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "task",
            "step",
            "attempt",
            "role",
            "usage",
            "worker",
            "degraded",
            "models",
            "completed",
            "unsure",
            "failed",
            "handoff",
            "needs_human",
            "needsHuman",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Task,
            Step,
            Attempt,
            Role,
            Usage,
            Worker,
            Degraded,
            Models,
            Completed,
            Unsure,
            Failed,
            Handoff,
            NeedsHuman,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "task" => Ok(GeneratedField::Task),
                            "step" => Ok(GeneratedField::Step),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "role" => Ok(GeneratedField::Role),
                            "usage" => Ok(GeneratedField::Usage),
                            "worker" => Ok(GeneratedField::Worker),
                            "degraded" => Ok(GeneratedField::Degraded),
                            "models" => Ok(GeneratedField::Models),
                            "completed" => Ok(GeneratedField::Completed),
                            "unsure" => Ok(GeneratedField::Unsure),
                            "failed" => Ok(GeneratedField::Failed),
                            "handoff" => Ok(GeneratedField::Handoff),
                            "needsHuman" | "needs_human" => Ok(GeneratedField::NeedsHuman),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Report;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Report")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Report, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut task__ = None;
                let mut step__ = None;
                let mut attempt__ = None;
                let mut role__ = None;
                let mut usage__ = None;
                let mut worker__ = None;
                let mut degraded__ = None;
                let mut models__ = None;
                let mut outcome__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Task => {
                            if task__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task"));
                            }
                            task__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                        GeneratedField::Worker => {
                            if worker__.is_some() {
                                return Err(serde::de::Error::duplicate_field("worker"));
                            }
                            worker__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Degraded => {
                            if degraded__.is_some() {
                                return Err(serde::de::Error::duplicate_field("degraded"));
                            }
                            degraded__ = map_.next_value()?;
                        }
                        GeneratedField::Models => {
                            if models__.is_some() {
                                return Err(serde::de::Error::duplicate_field("models"));
                            }
                            models__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Completed => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("completed"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(report::Outcome::Completed)
;
                        }
                        GeneratedField::Unsure => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unsure"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(report::Outcome::Unsure)
;
                        }
                        GeneratedField::Failed => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failed"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(report::Outcome::Failed)
;
                        }
                        GeneratedField::Handoff => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("handoff"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(report::Outcome::Handoff)
;
                        }
                        GeneratedField::NeedsHuman => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("needsHuman"));
                            }
                            outcome__ = map_.next_value::<::std::option::Option<_>>()?.map(report::Outcome::NeedsHuman)
;
                        }
                    }
                }
                Ok(Report {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    task: task__.unwrap_or_default(),
                    step: step__.unwrap_or_default(),
                    attempt: attempt__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    usage: usage__,
                    worker: worker__.unwrap_or_default(),
                    degraded: degraded__,
                    models: models__.unwrap_or_default(),
                    outcome: outcome__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Report", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Resume {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("cadre.v1.Resume", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Resume {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Resume;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Resume")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Resume, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Resume {
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Resume", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Resumed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.by.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Resumed", len)?;
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Resumed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "by",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            By,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "by" => Ok(GeneratedField::By),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Resumed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Resumed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Resumed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut by__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Resumed {
                    by: by__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Resumed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Retried {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if !self.freed.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Retried", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if !self.freed.is_empty() {
            struct_ser.serialize_field("freed", &self.freed)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Retried {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "by",
            "freed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            By,
            Freed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "by" => Ok(GeneratedField::By),
                            "freed" => Ok(GeneratedField::Freed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Retried;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Retried")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Retried, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut by__ = None;
                let mut freed__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Freed => {
                            if freed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("freed"));
                            }
                            freed__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Retried {
                    step: step__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    freed: freed__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Retried", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Retry {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.step.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Retry", len)?;
        if let Some(v) = self.step.as_ref() {
            struct_ser.serialize_field("step", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Retry {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Retry;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Retry")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Retry, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Retry {
                    step: step__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Retry", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Ruled {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.attempt != 0 {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        if self.ruling.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Ruled", len)?;
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        if let Some(v) = self.ruling.as_ref() {
            struct_ser.serialize_field("ruling", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Ruled {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "attempt",
            "by",
            "ruling",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Attempt,
            By,
            Ruling,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "attempt" => Ok(GeneratedField::Attempt),
                            "by" => Ok(GeneratedField::By),
                            "ruling" => Ok(GeneratedField::Ruling),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Ruled;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Ruled")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Ruled, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut attempt__ = None;
                let mut by__ = None;
                let mut ruling__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Ruling => {
                            if ruling__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ruling"));
                            }
                            ruling__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Ruled {
                    attempt: attempt__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                    ruling: ruling__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Ruled", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepCompleted {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.output.is_some() {
            len += 1;
        }
        if self.confidence.is_some() {
            len += 1;
        }
        if self.unsure.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        if self.degraded.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepCompleted", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if let Some(v) = self.output.as_ref() {
            struct_ser.serialize_field("output", v)?;
        }
        if let Some(v) = self.confidence.as_ref() {
            struct_ser.serialize_field("confidence", v)?;
        }
        if let Some(v) = self.unsure.as_ref() {
            struct_ser.serialize_field("unsure", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        if let Some(v) = self.degraded.as_ref() {
            struct_ser.serialize_field("degraded", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepCompleted {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "output",
            "confidence",
            "unsure",
            "usage",
            "degraded",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Output,
            Confidence,
            Unsure,
            Usage,
            Degraded,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "output" => Ok(GeneratedField::Output),
                            "confidence" => Ok(GeneratedField::Confidence),
                            "unsure" => Ok(GeneratedField::Unsure),
                            "usage" => Ok(GeneratedField::Usage),
                            "degraded" => Ok(GeneratedField::Degraded),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepCompleted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepCompleted")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepCompleted, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut output__ = None;
                let mut confidence__ = None;
                let mut unsure__ = None;
                let mut usage__ = None;
                let mut degraded__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Confidence => {
                            if confidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("confidence"));
                            }
                            confidence__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Unsure => {
                            if unsure__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unsure"));
                            }
                            unsure__ = map_.next_value()?;
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                        GeneratedField::Degraded => {
                            if degraded__.is_some() {
                                return Err(serde::de::Error::duplicate_field("degraded"));
                            }
                            degraded__ = map_.next_value()?;
                        }
                    }
                }
                Ok(StepCompleted {
                    step: step__.unwrap_or_default(),
                    output: output__,
                    confidence: confidence__,
                    unsure: unsure__,
                    usage: usage__,
                    degraded: degraded__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepCompleted", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepDelayed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if self.degraded.is_some() {
            len += 1;
        }
        if self.input.is_some() {
            len += 1;
        }
        if self.until_unix_ms != 0 {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.failure.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepDelayed", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if let Some(v) = self.degraded.as_ref() {
            struct_ser.serialize_field("degraded", v)?;
        }
        if let Some(v) = self.input.as_ref() {
            struct_ser.serialize_field("input", v)?;
        }
        if self.until_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("untilUnixMs", ToString::to_string(&self.until_unix_ms).as_str())?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if let Some(v) = self.failure.as_ref() {
            struct_ser.serialize_field("failure", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepDelayed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "role",
            "degraded",
            "input",
            "until_unix_ms",
            "untilUnixMs",
            "reason",
            "failure",
            "usage",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Role,
            Degraded,
            Input,
            UntilUnixMs,
            Reason,
            Failure,
            Usage,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "role" => Ok(GeneratedField::Role),
                            "degraded" => Ok(GeneratedField::Degraded),
                            "input" => Ok(GeneratedField::Input),
                            "untilUnixMs" | "until_unix_ms" => Ok(GeneratedField::UntilUnixMs),
                            "reason" => Ok(GeneratedField::Reason),
                            "failure" => Ok(GeneratedField::Failure),
                            "usage" => Ok(GeneratedField::Usage),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepDelayed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepDelayed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepDelayed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut role__ = None;
                let mut degraded__ = None;
                let mut input__ = None;
                let mut until_unix_ms__ = None;
                let mut reason__ = None;
                let mut failure__ = None;
                let mut usage__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Degraded => {
                            if degraded__.is_some() {
                                return Err(serde::de::Error::duplicate_field("degraded"));
                            }
                            degraded__ = map_.next_value()?;
                        }
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = Some(map_.next_value()?);
                        }
                        GeneratedField::UntilUnixMs => {
                            if until_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("untilUnixMs"));
                            }
                            until_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Failure => {
                            if failure__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failure"));
                            }
                            failure__ = map_.next_value()?;
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                    }
                }
                Ok(StepDelayed {
                    step: step__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    degraded: degraded__,
                    input: input__,
                    until_unix_ms: until_unix_ms__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    failure: failure__,
                    usage: usage__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepDelayed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepDispatched {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if self.input.is_some() {
            len += 1;
        }
        if self.deadline_unix_ms != 0 {
            len += 1;
        }
        if self.grant.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepDispatched", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if let Some(v) = self.input.as_ref() {
            struct_ser.serialize_field("input", v)?;
        }
        if self.deadline_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deadlineUnixMs", ToString::to_string(&self.deadline_unix_ms).as_str())?;
        }
        if let Some(v) = self.grant.as_ref() {
            struct_ser.serialize_field("grant", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepDispatched {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "attempt",
            "role",
            "input",
            "deadline_unix_ms",
            "deadlineUnixMs",
            "grant",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Attempt,
            Role,
            Input,
            DeadlineUnixMs,
            Grant,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "role" => Ok(GeneratedField::Role),
                            "input" => Ok(GeneratedField::Input),
                            "deadlineUnixMs" | "deadline_unix_ms" => Ok(GeneratedField::DeadlineUnixMs),
                            "grant" => Ok(GeneratedField::Grant),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepDispatched;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepDispatched")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepDispatched, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut attempt__ = None;
                let mut role__ = None;
                let mut input__ = None;
                let mut deadline_unix_ms__ = None;
                let mut grant__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeadlineUnixMs => {
                            if deadline_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineUnixMs"));
                            }
                            deadline_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Grant => {
                            if grant__.is_some() {
                                return Err(serde::de::Error::duplicate_field("grant"));
                            }
                            grant__ = map_.next_value()?;
                        }
                    }
                }
                Ok(StepDispatched {
                    step: step__.unwrap_or_default(),
                    attempt: attempt__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    input: input__,
                    deadline_unix_ms: deadline_unix_ms__.unwrap_or_default(),
                    grant: grant__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepDispatched", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepFailed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.failure.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepFailed", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if let Some(v) = self.failure.as_ref() {
            struct_ser.serialize_field("failure", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepFailed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "failure",
            "usage",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Failure,
            Usage,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "failure" => Ok(GeneratedField::Failure),
                            "usage" => Ok(GeneratedField::Usage),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepFailed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepFailed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepFailed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut failure__ = None;
                let mut usage__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Failure => {
                            if failure__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failure"));
                            }
                            failure__ = map_.next_value()?;
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                    }
                }
                Ok(StepFailed {
                    step: step__.unwrap_or_default(),
                    failure: failure__,
                    usage: usage__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepFailed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepSkipped {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepSkipped", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepSkipped {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Reason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepSkipped;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepSkipped")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepSkipped, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(StepSkipped {
                    step: step__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepSkipped", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StepWaiting {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.question.is_empty() {
            len += 1;
        }
        if self.proposal.is_some() {
            len += 1;
        }
        if self.usage.is_some() {
            len += 1;
        }
        if self.kind != 0 {
            len += 1;
        }
        if self.expires_unix_ms.is_some() {
            len += 1;
        }
        if self.when_expired != 0 {
            len += 1;
        }
        if self.quorum != 0 {
            len += 1;
        }
        if self.four_eyes {
            len += 1;
        }
        if self.editable.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.StepWaiting", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.question.is_empty() {
            struct_ser.serialize_field("question", &self.question)?;
        }
        if let Some(v) = self.proposal.as_ref() {
            struct_ser.serialize_field("proposal", v)?;
        }
        if let Some(v) = self.usage.as_ref() {
            struct_ser.serialize_field("usage", v)?;
        }
        if self.kind != 0 {
            let v = step_waiting::Kind::try_from(self.kind)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.kind)))?;
            struct_ser.serialize_field("kind", &v)?;
        }
        if let Some(v) = self.expires_unix_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("expiresUnixMs", ToString::to_string(&v).as_str())?;
        }
        if self.when_expired != 0 {
            let v = step_waiting::WhenExpired::try_from(self.when_expired)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.when_expired)))?;
            struct_ser.serialize_field("whenExpired", &v)?;
        }
        if self.quorum != 0 {
            struct_ser.serialize_field("quorum", &self.quorum)?;
        }
        if self.four_eyes {
            struct_ser.serialize_field("fourEyes", &self.four_eyes)?;
        }
        if let Some(v) = self.editable.as_ref() {
            struct_ser.serialize_field("editable", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StepWaiting {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "question",
            "proposal",
            "usage",
            "kind",
            "expires_unix_ms",
            "expiresUnixMs",
            "when_expired",
            "whenExpired",
            "quorum",
            "four_eyes",
            "fourEyes",
            "editable",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Question,
            Proposal,
            Usage,
            Kind,
            ExpiresUnixMs,
            WhenExpired,
            Quorum,
            FourEyes,
            Editable,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "question" => Ok(GeneratedField::Question),
                            "proposal" => Ok(GeneratedField::Proposal),
                            "usage" => Ok(GeneratedField::Usage),
                            "kind" => Ok(GeneratedField::Kind),
                            "expiresUnixMs" | "expires_unix_ms" => Ok(GeneratedField::ExpiresUnixMs),
                            "whenExpired" | "when_expired" => Ok(GeneratedField::WhenExpired),
                            "quorum" => Ok(GeneratedField::Quorum),
                            "fourEyes" | "four_eyes" => Ok(GeneratedField::FourEyes),
                            "editable" => Ok(GeneratedField::Editable),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StepWaiting;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.StepWaiting")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StepWaiting, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut question__ = None;
                let mut proposal__ = None;
                let mut usage__ = None;
                let mut kind__ = None;
                let mut expires_unix_ms__ = None;
                let mut when_expired__ = None;
                let mut quorum__ = None;
                let mut four_eyes__ = None;
                let mut editable__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Question => {
                            if question__.is_some() {
                                return Err(serde::de::Error::duplicate_field("question"));
                            }
                            question__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Proposal => {
                            if proposal__.is_some() {
                                return Err(serde::de::Error::duplicate_field("proposal"));
                            }
                            proposal__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Usage => {
                            if usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usage"));
                            }
                            usage__ = map_.next_value()?;
                        }
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<step_waiting::Kind>()? as i32);
                        }
                        GeneratedField::ExpiresUnixMs => {
                            if expires_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expiresUnixMs"));
                            }
                            expires_unix_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::WhenExpired => {
                            if when_expired__.is_some() {
                                return Err(serde::de::Error::duplicate_field("whenExpired"));
                            }
                            when_expired__ = Some(map_.next_value::<step_waiting::WhenExpired>()? as i32);
                        }
                        GeneratedField::Quorum => {
                            if quorum__.is_some() {
                                return Err(serde::de::Error::duplicate_field("quorum"));
                            }
                            quorum__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::FourEyes => {
                            if four_eyes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fourEyes"));
                            }
                            four_eyes__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Editable => {
                            if editable__.is_some() {
                                return Err(serde::de::Error::duplicate_field("editable"));
                            }
                            editable__ = map_.next_value()?;
                        }
                    }
                }
                Ok(StepWaiting {
                    step: step__.unwrap_or_default(),
                    question: question__.unwrap_or_default(),
                    proposal: proposal__,
                    usage: usage__,
                    kind: kind__.unwrap_or_default(),
                    expires_unix_ms: expires_unix_ms__,
                    when_expired: when_expired__.unwrap_or_default(),
                    quorum: quorum__.unwrap_or_default(),
                    four_eyes: four_eyes__.unwrap_or_default(),
                    editable: editable__,
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.StepWaiting", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for step_waiting::Kind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Question => "QUESTION",
            Self::Approval => "APPROVAL",
            Self::Doubt => "DOUBT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for step_waiting::Kind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "QUESTION",
            "APPROVAL",
            "DOUBT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = step_waiting::Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "QUESTION" => Ok(step_waiting::Kind::Question),
                    "APPROVAL" => Ok(step_waiting::Kind::Approval),
                    "DOUBT" => Ok(step_waiting::Kind::Doubt),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for step_waiting::WhenExpired {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Fail => "FAIL",
            Self::Accept => "ACCEPT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for step_waiting::WhenExpired {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "FAIL",
            "ACCEPT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = step_waiting::WhenExpired;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "FAIL" => Ok(step_waiting::WhenExpired::Fail),
                    "ACCEPT" => Ok(step_waiting::WhenExpired::Accept),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for TakenOver {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if self.output.is_some() {
            len += 1;
        }
        if self.confidence.is_some() {
            len += 1;
        }
        if self.unsure.is_some() {
            len += 1;
        }
        if self.rev != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.TakenOver", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if let Some(v) = self.output.as_ref() {
            struct_ser.serialize_field("output", v)?;
        }
        if let Some(v) = self.confidence.as_ref() {
            struct_ser.serialize_field("confidence", v)?;
        }
        if let Some(v) = self.unsure.as_ref() {
            struct_ser.serialize_field("unsure", v)?;
        }
        if self.rev != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rev", ToString::to_string(&self.rev).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TakenOver {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "output",
            "confidence",
            "unsure",
            "rev",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            Output,
            Confidence,
            Unsure,
            Rev,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "output" => Ok(GeneratedField::Output),
                            "confidence" => Ok(GeneratedField::Confidence),
                            "unsure" => Ok(GeneratedField::Unsure),
                            "rev" => Ok(GeneratedField::Rev),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TakenOver;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.TakenOver")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TakenOver, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut output__ = None;
                let mut confidence__ = None;
                let mut unsure__ = None;
                let mut rev__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Confidence => {
                            if confidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("confidence"));
                            }
                            confidence__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Unsure => {
                            if unsure__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unsure"));
                            }
                            unsure__ = map_.next_value()?;
                        }
                        GeneratedField::Rev => {
                            if rev__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rev"));
                            }
                            rev__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(TakenOver {
                    step: step__.unwrap_or_default(),
                    output: output__,
                    confidence: confidence__,
                    unsure: unsure__,
                    rev: rev__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.TakenOver", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ToolAnswered {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.call.is_empty() {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.result.is_empty() {
            len += 1;
        }
        if self.is_error {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.ToolAnswered", len)?;
        if !self.call.is_empty() {
            struct_ser.serialize_field("call", &self.call)?;
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.result.is_empty() {
            struct_ser.serialize_field("result", &self.result)?;
        }
        if self.is_error {
            struct_ser.serialize_field("isError", &self.is_error)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ToolAnswered {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "call",
            "name",
            "result",
            "is_error",
            "isError",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Call,
            Name,
            Result,
            IsError,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "call" => Ok(GeneratedField::Call),
                            "name" => Ok(GeneratedField::Name),
                            "result" => Ok(GeneratedField::Result),
                            "isError" | "is_error" => Ok(GeneratedField::IsError),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ToolAnswered;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.ToolAnswered")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ToolAnswered, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut call__ = None;
                let mut name__ = None;
                let mut result__ = None;
                let mut is_error__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Call => {
                            if call__.is_some() {
                                return Err(serde::de::Error::duplicate_field("call"));
                            }
                            call__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Result => {
                            if result__.is_some() {
                                return Err(serde::de::Error::duplicate_field("result"));
                            }
                            result__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IsError => {
                            if is_error__.is_some() {
                                return Err(serde::de::Error::duplicate_field("isError"));
                            }
                            is_error__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ToolAnswered {
                    call: call__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                    result: result__.unwrap_or_default(),
                    is_error: is_error__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.ToolAnswered", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Unsure {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.output.is_some() {
            len += 1;
        }
        if self.confidence.is_some() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Unsure", len)?;
        if let Some(v) = self.output.as_ref() {
            struct_ser.serialize_field("output", v)?;
        }
        if let Some(v) = self.confidence.as_ref() {
            struct_ser.serialize_field("confidence", v)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Unsure {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "output",
            "confidence",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Output,
            Confidence,
            Reason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "output" => Ok(GeneratedField::Output),
                            "confidence" => Ok(GeneratedField::Confidence),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Unsure;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Unsure")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Unsure, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut output__ = None;
                let mut confidence__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Output => {
                            if output__.is_some() {
                                return Err(serde::de::Error::duplicate_field("output"));
                            }
                            output__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Confidence => {
                            if confidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("confidence"));
                            }
                            confidence__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Unsure {
                    output: output__,
                    confidence: confidence__,
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Unsure", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Usage {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.usd_micros != 0 {
            len += 1;
        }
        if self.tokens != 0 {
            len += 1;
        }
        if self.work_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Usage", len)?;
        if self.usd_micros != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("usdMicros", ToString::to_string(&self.usd_micros).as_str())?;
        }
        if self.tokens != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tokens", ToString::to_string(&self.tokens).as_str())?;
        }
        if self.work_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("workMs", ToString::to_string(&self.work_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Usage {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "usd_micros",
            "usdMicros",
            "tokens",
            "work_ms",
            "workMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            UsdMicros,
            Tokens,
            WorkMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "usdMicros" | "usd_micros" => Ok(GeneratedField::UsdMicros),
                            "tokens" => Ok(GeneratedField::Tokens),
                            "workMs" | "work_ms" => Ok(GeneratedField::WorkMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Usage;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Usage")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Usage, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut usd_micros__ = None;
                let mut tokens__ = None;
                let mut work_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::UsdMicros => {
                            if usd_micros__.is_some() {
                                return Err(serde::de::Error::duplicate_field("usdMicros"));
                            }
                            usd_micros__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Tokens => {
                            if tokens__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tokens"));
                            }
                            tokens__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::WorkMs => {
                            if work_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("workMs"));
                            }
                            work_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Usage {
                    usd_micros: usd_micros__.unwrap_or_default(),
                    tokens: tokens__.unwrap_or_default(),
                    work_ms: work_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Usage", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Voted {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.step.is_empty() {
            len += 1;
        }
        if !self.by.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.Voted", len)?;
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if !self.by.is_empty() {
            struct_ser.serialize_field("by", &self.by)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Voted {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "step",
            "by",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Step,
            By,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "step" => Ok(GeneratedField::Step),
                            "by" => Ok(GeneratedField::By),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Voted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.Voted")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Voted, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut step__ = None;
                let mut by__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::By => {
                            if by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("by"));
                            }
                            by__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Voted {
                    step: step__.unwrap_or_default(),
                    by: by__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.Voted", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WorkOrder {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.schema != 0 {
            len += 1;
        }
        if self.min_reader != 0 {
            len += 1;
        }
        if !self.task.is_empty() {
            len += 1;
        }
        if !self.tenant.is_empty() {
            len += 1;
        }
        if !self.workflow.is_empty() {
            len += 1;
        }
        if !self.revision.is_empty() {
            len += 1;
        }
        if !self.step.is_empty() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if self.input.is_some() {
            len += 1;
        }
        if self.deadline_unix_ms != 0 {
            len += 1;
        }
        if !self.idempotency_key.is_empty() {
            len += 1;
        }
        if !self.accepts.is_empty() {
            len += 1;
        }
        if !self.returns.is_empty() {
            len += 1;
        }
        if self.user.is_some() {
            len += 1;
        }
        if self.grant.is_some() {
            len += 1;
        }
        if self.ruled.is_some() {
            len += 1;
        }
        if !self.budget_near.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("cadre.v1.WorkOrder", len)?;
        if self.schema != 0 {
            struct_ser.serialize_field("schema", &self.schema)?;
        }
        if self.min_reader != 0 {
            struct_ser.serialize_field("minReader", &self.min_reader)?;
        }
        if !self.task.is_empty() {
            struct_ser.serialize_field("task", &self.task)?;
        }
        if !self.tenant.is_empty() {
            struct_ser.serialize_field("tenant", &self.tenant)?;
        }
        if !self.workflow.is_empty() {
            struct_ser.serialize_field("workflow", &self.workflow)?;
        }
        if !self.revision.is_empty() {
            struct_ser.serialize_field("revision", &self.revision)?;
        }
        if !self.step.is_empty() {
            struct_ser.serialize_field("step", &self.step)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if let Some(v) = self.input.as_ref() {
            struct_ser.serialize_field("input", v)?;
        }
        if self.deadline_unix_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deadlineUnixMs", ToString::to_string(&self.deadline_unix_ms).as_str())?;
        }
        if !self.idempotency_key.is_empty() {
            struct_ser.serialize_field("idempotencyKey", &self.idempotency_key)?;
        }
        if !self.accepts.is_empty() {
            struct_ser.serialize_field("accepts", &self.accepts)?;
        }
        if !self.returns.is_empty() {
            struct_ser.serialize_field("returns", &self.returns)?;
        }
        if let Some(v) = self.user.as_ref() {
            struct_ser.serialize_field("user", v)?;
        }
        if let Some(v) = self.grant.as_ref() {
            struct_ser.serialize_field("grant", v)?;
        }
        if let Some(v) = self.ruled.as_ref() {
            struct_ser.serialize_field("ruled", v)?;
        }
        if !self.budget_near.is_empty() {
            struct_ser.serialize_field("budgetNear", &self.budget_near)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WorkOrder {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "schema",
            "min_reader",
            "minReader",
            "task",
            "tenant",
            "workflow",
            "revision",
            "step",
            "attempt",
            "role",
            "input",
            "deadline_unix_ms",
            "deadlineUnixMs",
            "idempotency_key",
            "idempotencyKey",
            "accepts",
            "returns",
            "user",
            "grant",
            "ruled",
            "budget_near",
            "budgetNear",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Schema,
            MinReader,
            Task,
            Tenant,
            Workflow,
            Revision,
            Step,
            Attempt,
            Role,
            Input,
            DeadlineUnixMs,
            IdempotencyKey,
            Accepts,
            Returns,
            User,
            Grant,
            Ruled,
            BudgetNear,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "schema" => Ok(GeneratedField::Schema),
                            "minReader" | "min_reader" => Ok(GeneratedField::MinReader),
                            "task" => Ok(GeneratedField::Task),
                            "tenant" => Ok(GeneratedField::Tenant),
                            "workflow" => Ok(GeneratedField::Workflow),
                            "revision" => Ok(GeneratedField::Revision),
                            "step" => Ok(GeneratedField::Step),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "role" => Ok(GeneratedField::Role),
                            "input" => Ok(GeneratedField::Input),
                            "deadlineUnixMs" | "deadline_unix_ms" => Ok(GeneratedField::DeadlineUnixMs),
                            "idempotencyKey" | "idempotency_key" => Ok(GeneratedField::IdempotencyKey),
                            "accepts" => Ok(GeneratedField::Accepts),
                            "returns" => Ok(GeneratedField::Returns),
                            "user" => Ok(GeneratedField::User),
                            "grant" => Ok(GeneratedField::Grant),
                            "ruled" => Ok(GeneratedField::Ruled),
                            "budgetNear" | "budget_near" => Ok(GeneratedField::BudgetNear),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WorkOrder;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct cadre.v1.WorkOrder")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WorkOrder, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut schema__ = None;
                let mut min_reader__ = None;
                let mut task__ = None;
                let mut tenant__ = None;
                let mut workflow__ = None;
                let mut revision__ = None;
                let mut step__ = None;
                let mut attempt__ = None;
                let mut role__ = None;
                let mut input__ = None;
                let mut deadline_unix_ms__ = None;
                let mut idempotency_key__ = None;
                let mut accepts__ = None;
                let mut returns__ = None;
                let mut user__ = None;
                let mut grant__ = None;
                let mut ruled__ = None;
                let mut budget_near__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Schema => {
                            if schema__.is_some() {
                                return Err(serde::de::Error::duplicate_field("schema"));
                            }
                            schema__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MinReader => {
                            if min_reader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("minReader"));
                            }
                            min_reader__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Task => {
                            if task__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task"));
                            }
                            task__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Tenant => {
                            if tenant__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tenant"));
                            }
                            tenant__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Workflow => {
                            if workflow__.is_some() {
                                return Err(serde::de::Error::duplicate_field("workflow"));
                            }
                            workflow__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Step => {
                            if step__.is_some() {
                                return Err(serde::de::Error::duplicate_field("step"));
                            }
                            step__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Input => {
                            if input__.is_some() {
                                return Err(serde::de::Error::duplicate_field("input"));
                            }
                            input__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeadlineUnixMs => {
                            if deadline_unix_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineUnixMs"));
                            }
                            deadline_unix_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::IdempotencyKey => {
                            if idempotency_key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("idempotencyKey"));
                            }
                            idempotency_key__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Accepts => {
                            if accepts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("accepts"));
                            }
                            accepts__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Returns => {
                            if returns__.is_some() {
                                return Err(serde::de::Error::duplicate_field("returns"));
                            }
                            returns__ = Some(map_.next_value()?);
                        }
                        GeneratedField::User => {
                            if user__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            user__ = map_.next_value()?;
                        }
                        GeneratedField::Grant => {
                            if grant__.is_some() {
                                return Err(serde::de::Error::duplicate_field("grant"));
                            }
                            grant__ = map_.next_value()?;
                        }
                        GeneratedField::Ruled => {
                            if ruled__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ruled"));
                            }
                            ruled__ = map_.next_value()?;
                        }
                        GeneratedField::BudgetNear => {
                            if budget_near__.is_some() {
                                return Err(serde::de::Error::duplicate_field("budgetNear"));
                            }
                            budget_near__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(WorkOrder {
                    schema: schema__.unwrap_or_default(),
                    min_reader: min_reader__.unwrap_or_default(),
                    task: task__.unwrap_or_default(),
                    tenant: tenant__.unwrap_or_default(),
                    workflow: workflow__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    step: step__.unwrap_or_default(),
                    attempt: attempt__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    input: input__,
                    deadline_unix_ms: deadline_unix_ms__.unwrap_or_default(),
                    idempotency_key: idempotency_key__.unwrap_or_default(),
                    accepts: accepts__.unwrap_or_default(),
                    returns: returns__.unwrap_or_default(),
                    user: user__,
                    grant: grant__,
                    ruled: ruled__,
                    budget_near: budget_near__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("cadre.v1.WorkOrder", FIELDS, GeneratedVisitor)
    }
}
