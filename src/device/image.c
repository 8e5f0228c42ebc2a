/* SPDX-License-Identifier: MIT */
/*
 * Images that are not raw: what they are, as far as has to be known before a program reads them
 * that opens whatever they name.
 */
#include "device/image.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/spawn.h"
#include "base/text.h"
#include "device/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INFO_SECONDS = 20, INFO_MAX = 1024 * 1024 };

/* ---- formats ------------------------------------------------------------------------------ */

/* What people call them, and --format takes in any case; what qemu calls them; how they begin. */
static const struct format {
    const char *name, *driver, *magic;
    uint64_t offset; /* from the end where from_end */
    bool from_end;
} formats[] = {
    { "qcow2", "qcow2", "QFI\xfb", 0, false }, { "VMDK", "vmdk", "KDMV", 0, false },
    { "VHDX", "vhdx", "vhdxfile", 0, false },  { "VDI", "vdi", "\x7f\x10\xda\xbe", 64, false },
    { "VHD", "vpc", "conectix", 512, true },
};

static const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcasecmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

bool image_format_known(const char *name)
{
    return format_named(name) != NULL;
}

static bool begins_like(int fd, uint64_t size, const struct format *format)
{
    size_t len = strlen(format->magic);
    char magic[16];

    if (format->from_end && size < format->offset)
        return false;
    return io_read_at(fd, magic, len, format->from_end ? size - format->offset : format->offset) ==
               0 &&
           memcmp(magic, format->magic, len) == 0;
}

const char *image_format(int fd, uint64_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (begins_like(fd, size, &formats[i]))
            return formats[i].name;
    return NULL;
}

/* ---- what it must not be ------------------------------------------------------------------ */

static int check_programs(struct err *e)
{
    static const char *const programs[] = { "qemu-storage-daemon", "qemu-img" };

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (!spawn_exists(programs[i]))
            return err_set(e, ERR_UNSUPPORTED,
                           "%s is not installed (package %s); or make a raw image of it on another "
                           "machine: qemu-img convert -O raw",
                           programs[i], i == 0 ? "qemu-system-common" : "qemu-utils");
    return 0;
}

/* A VMDK without a capacity of its own, or one that is a text, is a list of other files. */
static bool is_list_of_files(int fd, const struct format *format)
{
    enum { CAPACITY = 12, CAPACITY_SIZE = 8 };
    unsigned char head[CAPACITY + CAPACITY_SIZE];

    if (strcmp(format->driver, "vmdk") != 0)
        return false;
    if (io_read_at(fd, head, sizeof head, 0) < 0 ||
        memcmp(head, format->magic, strlen(format->magic)) != 0)
        return true;
    for (size_t i = CAPACITY; i < sizeof head; i++)
        if (head[i])
            return false;
    return true;
}

/*
 * qemu does not look at the type of a VHD, and would take what is only in the parent for zeros; it
 * reads the footer's copy at the start, or where there is none, the one at the end (block/vpc.c).
 */
static bool is_difference(int fd, const struct format *format)
{
    enum { FOOTER = 512, TYPE = 60, DIFFERENCING = 4 };
    static const unsigned char type[] = { 0, 0, 0, DIFFERENCING };
    unsigned char footer[FOOTER];
    struct stat stat;

    if (strcmp(format->driver, "vpc") != 0 || fstat(fd, &stat) < 0 || stat.st_size < FOOTER)
        return false;
    for (int at_end = 0; at_end < 2; at_end++)
        if (io_read_at(fd, footer, FOOTER, at_end ? (uint64_t)stat.st_size - FOOTER : 0) == 0 &&
            memcmp(footer, format->magic, strlen(format->magic)) == 0 &&
            memcmp(footer + TYPE, type, sizeof type) == 0)
            return true;
    return false;
}

/* The text of this name in qemu-img's JSON, as it is escaped there; NULL: none. */
static char *json_text(const char *json, const char *name)
{
    auto_free char *start = xasprintf("\"%s\": \"", name);
    const char *text = strstr(json, start), *end;

    if (!text)
        return NULL;
    end = text += strlen(start);
    while (*end && *end != '"')
        end += end[0] == '\\' && end[1] ? 2 : 1;
    return xstrndup(text, (size_t)(end - text));
}

/* What an image says that it stands on. */
struct footing {
    char *name, *format; /* NULL: nothing, not said */
};

static void footing_free(struct footing *footing)
{
    free(footing->name);
    free(footing->format);
}

/* By qemu-img, which opens nothing else for that. */
static int look_at(const char *image, int fd, const struct format *format, struct footing *ret,
                   struct err *e)
{
    const char *const argv[] = {
        "qemu-img", "info", "-U", "-f", format->driver, "--output=json", "/proc/self/fd/3", NULL
    };
    auto_blob struct blob output = { 0 };
    const char *json;
    int status;

    if (is_list_of_files(fd, format))
        return err_set(e, ERR_REFUSED, "%s is no VMDK, or one whose content is in other files",
                       image);
    if (is_difference(fd, format))
        return err_set(e, ERR_REFUSED,
                       "%s is only a part: it is a VHD that stands on another one, which cannot be "
                       "read here; merge them where it was made",
                       image);
    if (spawn_output(&(struct spawn){ .argv = argv, .inherit = &fd, .inherit_count = 1 },
                     INFO_SECONDS, INFO_MAX, &output, &status, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_REFUSED, "%s is no image of the format %s", image, format->name);
    json = (const char *)output.data;
    if (strstr(json, "\"data-file\""))
        return err_set(e, ERR_REFUSED,
                       "%s is only a part: its data is in another file, which is not opened; make "
                       "one image of both: qemu-img convert -O raw",
                       image);
    *ret = (struct footing){ .name = json_text(json, "backing-filename"),
                             .format = json_text(json, "backing-filename-format") };
    return 0;
}

/* ---- layers ------------------------------------------------------------------------------- */

static int open_image(const char *image, bool writable, bool backing, struct err *e)
{
    auto_fd int fd = open(image, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    auto_free char *writer = NULL;
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) < 0)
        return err_errno(e, "open %s", image);
    if (!S_ISREG(stat.st_mode))
        return err_set(e, ERR_REFUSED, "%s is no image file", image);
    writer = backing ? image_writer(fd) : NULL;
    if (writer)
        return err_set(e, ERR_IN_USE, "%s is %s", image, writer);
    if (backing && flock(fd, LOCK_SH | LOCK_NB) < 0)
        return err_set(e, ERR_IN_USE, "%s is in use: another program has locked it", image);
    return take_fd(&fd);
}

/*
 * What the image above calls it. Without a word, and for "file" and "host_device", it is raw,
 * whatever it begins like: a guest may have written that.
 */
static int format_below(const struct footing *footing, const char *file, const struct format **ret,
                        struct err *e)
{
    static const char *const raw[] = { "raw", "file", "host_device" };
    const char *word = footing->format ? footing->format : "raw";
    auto_free char *clean = text_clean(word);

    *ret = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(raw); i++)
        if (strcmp(word, raw[i]) == 0)
            return 0;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(word, formats[i].driver) == 0)
            *ret = &formats[i];
    return *ret ? 0 : err_set(e, ERR_UNSUPPORTED, "%s would be of the format %s", file, clean);
}

static int refuse_part(const char *image, const struct footing *footing, struct err *e)
{
    auto_free char *name = text_clean(footing->name);

    return err_set(e, ERR_REFUSED,
                   "%s is only a part: it stands on another file, %s, which is opened only where "
                   "you name it, with --backing=FILE; or make one image of both: qemu-img convert "
                   "-O raw",
                   image, name);
}

/* One layer, and which format the next one is in; NULL: it is raw, or there is none. */
static int add_layer(struct layers *layers, const char *file, const struct format *format,
                     bool writable, struct footing *ret, struct err *e)
{
    struct layer layer = { .driver = format ? format->driver : "raw" };

    if (layers->count == LAYERS_MAX)
        return err_set(e, ERR_REFUSED, "%s stands on too many files", file);
    layer.fd = open_image(file, writable, layers->count > 0, e);
    if (layer.fd < 0)
        return -1;
    layers->items[layers->count++] = layer;
    return format ? look_at(file, layer.fd, format, ret, e) : 0;
}

int layers_open(const char *image, const struct image_source *source, bool writable,
                struct layers *ret, struct err *e)
{
    static const char *const none[] = { NULL };
    const char *const *backing = source->backing ? (const char *const *)source->backing : none;
    auto_layers struct layers layers = { 0 };
    const struct format *format = format_named(source->format);
    const char *file = image;

    if (check_programs(e) < 0)
        return -1;
    for (;;) {
        auto_with(footing_free) struct footing footing = { 0 };

        if (add_layer(&layers, file, format, writable && file == image, &footing, e) < 0)
            return -1;
        if (!footing.name && *backing)
            return err_set(e, ERR_REFUSED, "%s stands on no other file; leave out --backing=%s",
                           file, *backing);
        if (!footing.name)
            break;
        if (!*backing)
            return refuse_part(file, &footing, e);
        file = *backing++;
        if (format_below(&footing, file, &format, e) < 0)
            return -1;
    }
    *ret = layers;
    layers = (struct layers){ 0 };
    return 0;
}

void layers_close(struct layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        close(layers->items[i].fd);
    *layers = (struct layers){ 0 };
}
