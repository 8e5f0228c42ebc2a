/* SPDX-License-Identifier: MIT */
#include "apply/manifest.h"

#include "base/alloc.h"

#include <jansson.h>
#include <string.h>

static const char schema[] = "sshmend-run/1";

/* Paths and labels are bytes, JSON is UTF-8: so they are written in hexadecimal where need be. */
static json_t *bytes_to_json(const char *text)
{
    struct blob blob = { .data = (unsigned char *)text, .len = text ? strlen(text) : 0 };
    auto_free char *hex = NULL;
    json_t *plain;

    if (!text)
        return json_null();
    plain = json_string(text);
    if (plain)
        return plain;
    hex = blob_to_hex(&blob);
    return json_pack("{s:s}", "hex", hex);
}

static char *bytes_of_json(const json_t *value)
{
    struct blob blob;

    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    value = json_object_get(value, "hex");
    if (!json_is_string(value) || !blob_from_hex(json_string_value(value), &blob))
        return NULL;
    return (char *)blob.data;
}

static json_t *state_to_json(const struct entry_state *state)
{
    return json_pack("{s:I, s:i, s:I, s:I, s:I, s:o, s:o, s:o}", "inode", (json_int_t)state->inode,
                     "mode", (int)state->mode, "uid", (json_int_t)state->uid, "gid",
                     (json_int_t)state->gid, "flags", (json_int_t)state->flags, "sha256",
                     bytes_to_json(state->digest), "label", bytes_to_json(state->label), "acl",
                     bytes_to_json(state->acl));
}

static const char *const kinds[] = {
    [ENTRY_FILE] = "file", [ENTRY_GONE] = "gone", [ENTRY_META] = "meta"
};

static bool kind_named(const char *name, enum entry_kind *ret)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i], name) == 0) {
            *ret = (enum entry_kind)i;
            return true;
        }
    }
    return false;
}

static json_t *entry_to_json(const struct entry *entry)
{
    json_t *object = json_pack("{s:s, s:o, s:b, s:I, s:o, s:o}", "kind", kinds[entry->kind], "path",
                               bytes_to_json(entry->path), "existed", entry->existed,
                               "directory_flags", (json_int_t)entry->directory_flags, "old",
                               state_to_json(&entry->old), "new", state_to_json(&entry->new));

    if (entry->folder)
        json_object_set_new(object, "folder", bytes_to_json(entry->folder));
    return object;
}

struct blob manifest_text(const struct run *run)
{
    json_t *entries = json_array(), *made = json_array(), *manifest;
    auto_free char *lines = NULL;
    struct blob text;
    char *dump;

    for (size_t i = 0; i < run->count; i++)
        json_array_append_new(entries, entry_to_json(&run->entries[i]));
    for (char **path = run->made; path && *path; path++)
        json_array_append_new(made, bytes_to_json(*path));
    manifest = json_pack("{s:s, s:s, s:o, s:o}", "schema", schema, "run", run->id, "made", made,
                         "entries", entries);
    dump = json_dumps(manifest, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    lines = dump ? xasprintf("%s\n", dump) : xstrdup("");
    text = blob_of_text(lines);
    free(dump);
    json_decref(manifest);
    return text;
}

static bool number(const json_t *object, const char *name, uint64_t *ret)
{
    const json_t *value = json_object_get(object, name);

    *ret = (uint64_t)json_integer_value(value);
    return json_is_integer(value);
}

/* A text, or null for none. */
static bool text_or_none(const json_t *object, const char *name, char **ret)
{
    const json_t *value = json_object_get(object, name);

    *ret = bytes_of_json(value);
    return *ret || json_is_null(value);
}

static bool parse_state(const json_t *object, struct entry_state *state)
{
    uint64_t mode, uid, gid, flags;
    bool sound = number(object, "inode", &state->inode);

    sound = number(object, "mode", &mode) && sound;
    sound = number(object, "uid", &uid) && sound;
    sound = number(object, "gid", &gid) && sound;
    sound = number(object, "flags", &flags) && sound;
    state->mode = (mode_t)mode;
    state->uid = (uid_t)uid;
    state->gid = (gid_t)gid;
    state->flags = (unsigned)flags;
    sound = text_or_none(object, "sha256", &state->digest) && sound;
    sound = text_or_none(object, "label", &state->label) && sound;
    return text_or_none(object, "acl", &state->acl) && sound;
}

static bool parse_entry(const json_t *object, struct entry *entry)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *existed = json_object_get(object, "existed");
    const json_t *folder = json_object_get(object, "folder");
    uint64_t directory_flags;
    bool sound = number(object, "directory_flags", &directory_flags);

    entry->path = bytes_of_json(json_object_get(object, "path"));
    entry->folder = folder ? bytes_of_json(folder) : NULL;
    entry->existed = json_is_true(existed);
    entry->directory_flags = (unsigned)directory_flags;
    sound = kind_named(kind, &entry->kind) && sound;
    sound = parse_state(json_object_get(object, "old"), &entry->old) && sound;
    sound = parse_state(json_object_get(object, "new"), &entry->new) && sound;
    sound = (!folder || (entry->folder && entry->folder[0] == '/')) && sound;
    return sound && json_is_boolean(existed) && entry->path && entry->path[0] == '/';
}

static int parse_lists(const json_t *manifest, struct run *run, struct err *e)
{
    const json_t *entries = json_object_get(manifest, "entries");
    const json_t *made = json_object_get(manifest, "made"), *item;
    size_t index, made_count = 0;
    bool sound = json_is_array(entries) && json_is_array(made);

    json_array_foreach(entries, index, item)
    {
        struct entry entry = { 0 };

        sound = parse_entry(item, &entry) && sound;
        array_push(run->entries, run->count, entry);
    }
    json_array_foreach(made, index, item)
    {
        char *path = bytes_of_json(item);

        sound = path && sound;
        array_push(run->made, made_count, path);
    }
    array_push(run->made, made_count, NULL);
    return sound ? 0 : err_set(e, ERR_REFUSED, "the manifest of run %s is damaged", run->id);
}

/* Cut short: its last byte is a newline, and a beginning of JSON is never a whole object. */
static bool torn(const struct blob *text, const json_error_t *error)
{
    /* The longest token is "false". */
    bool at_end = text->len > 0 && text->data[0] == '{' &&
                  (size_t)error->position + sizeof "false" > text->len;

    return text->len == 0 || text->data[0] == '\0' || text->data[text->len - 1] != '\n' ||
           (at_end && json_error_code(error) == json_error_invalid_syntax) ||
           json_error_code(error) == json_error_premature_end_of_input;
}

int manifest_parse(const struct blob *text, struct run *run, struct err *e)
{
    json_error_t error;
    json_t *manifest = json_loadb((const char *)text->data, text->len, 0, &error);
    const char *found = json_string_value(json_object_get(manifest, "schema"));
    int result;

    if ((!manifest || text->data[text->len - 1] != '\n') && torn(text, &error))
        result = err_set(e, ERR_NOT_FOUND, "run %s ended before its manifest was written", run->id);
    else if (!found || strcmp(found, schema) != 0)
        result = err_set(e, ERR_REFUSED, "the manifest of run %s is damaged, or of a newer sshmend",
                         run->id);
    else
        result = parse_lists(manifest, run, e);
    json_decref(manifest);
    return result;
}
