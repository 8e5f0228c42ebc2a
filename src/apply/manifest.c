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

static json_t *entry_to_json(const struct entry *entry)
{
    return json_pack("{s:s, s:o, s:b, s:I, s:o, s:o}", "kind",
                     entry->kind == ENTRY_FILE ? "file" : "meta", "path",
                     bytes_to_json(entry->path), "existed", entry->existed, "directory_flags",
                     (json_int_t)entry->directory_flags, "old", state_to_json(&entry->old), "new",
                     state_to_json(&entry->new));
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

static uint64_t number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void parse_state(const json_t *object, struct entry_state *state)
{
    state->inode = number(object, "inode");
    state->mode = (mode_t)number(object, "mode");
    state->uid = (uid_t)number(object, "uid");
    state->gid = (gid_t)number(object, "gid");
    state->flags = (unsigned)number(object, "flags");
    state->digest = bytes_of_json(json_object_get(object, "sha256"));
    state->label = bytes_of_json(json_object_get(object, "label"));
    state->acl = bytes_of_json(json_object_get(object, "acl"));
}

static bool parse_entry(const json_t *object, struct entry *entry)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));

    entry->path = bytes_of_json(json_object_get(object, "path"));
    entry->existed = json_is_true(json_object_get(object, "existed"));
    entry->directory_flags = (unsigned)number(object, "directory_flags");
    entry->kind = kind && strcmp(kind, "file") == 0 ? ENTRY_FILE : ENTRY_META;
    parse_state(json_object_get(object, "old"), &entry->old);
    parse_state(json_object_get(object, "new"), &entry->new);
    return kind && entry->path && entry->path[0] == '/';
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

/* Its last byte is the last one written. */
static bool torn(const struct blob *text)
{
    return text->len == 0 || text->data[text->len - 1] != '\n';
}

int manifest_parse(const struct blob *text, struct run *run, struct err *e)
{
    json_error_t error;
    json_t *manifest = json_loadb((const char *)text->data, text->len, 0, &error);
    const char *found = json_string_value(json_object_get(manifest, "schema"));
    int result;

    if (torn(text))
        result = err_set(e, ERR_NOT_FOUND, "run %s ended before its manifest was written", run->id);
    else if (!found || strcmp(found, schema) != 0)
        result = err_set(e, ERR_REFUSED, "the manifest of run %s is damaged, or of a newer sshmend",
                         run->id);
    else
        result = parse_lists(manifest, run, e);
    json_decref(manifest);
    return result;
}
