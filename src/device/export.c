/* SPDX-License-Identifier: MIT */
/*
 * qcow2, VHD and their like, through qemu-storage-daemon's FUSE export: a program that is well
 * kept reads the format, and what comes out is a file like any other raw image.
 *
 * The daemon is in a mount namespace of its own, where it mounts the raw view over the image
 * itself; from here it is seen through /proc. So there is nothing to be cleared away, and whatever
 * ends this process ends the daemon and its mount.
 *
 * An image is as hostile as a disk: one that names another file (a backing file, an extent) could
 * have any file of this machine read, or written. The daemon is told each file, by a descriptor.
 */
#include "device/export.h"

#include "base/alloc.h"
#include "base/spawn.h"
#include "base/text.h"
#include "device/image.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    START_TRIES = 200, /* of 50 ms */
    STOP_SECONDS = 30,
    PAUSE_NS = 50 * 1000 * 1000,
};

struct export
{
    struct child daemon;
    struct layers layers;
    char *path;
};

/* ---- the daemon --------------------------------------------------------------------------- */

/* A comma within is written twice (qemu's own rule). */
static char *double_commas(const char *text)
{
    char *twice = xcalloc(2 * strlen(text) + 1, 1), *out = twice;

    for (; *text; text++) {
        *out++ = *text;
        if (*text == ',')
            *out++ = ',';
    }
    return twice;
}

static void add_word(char ***words, size_t *count, char *word)
{
    array_push(*words, *count, word);
}

/*
 * What the last layer stands on is nothing, whatever its header says by the time that the daemon
 * reads it. Only JSON can say so, and only these drivers know the word.
 */
static char *below_layer(const struct layers *layers, size_t i)
{
    const char *driver = layers->items[i].driver;

    if (i + 1 < layers->count)
        return xasprintf(",\"backing\":\"disk%zu\"", i + 1);
    return xstrdup(strcmp(driver, "qcow2") == 0 || strcmp(driver, "vmdk") == 0 ? ",\"backing\":null"
                                                                               : "");
}

/* The file of a layer and, on it, what is in it; what it stands on is there before. */
static void add_layer(const struct layers *layers, size_t i, bool writable, char ***words,
                      size_t *count)
{
    const char *read_only = writable && i == 0 ? "false" : "true";
    auto_free char *below = below_layer(layers, i);

    add_word(words, count, xstrdup("--blockdev"));
    add_word(words, count,
             xasprintf("{\"driver\":\"file\",\"node-name\":\"file%zu\",\"filename\":"
                       "\"/proc/self/fd/%zu\",\"locking\":\"off\",\"read-only\":%s}",
                       i, i + 3, read_only));
    add_word(words, count, xstrdup("--blockdev"));
    add_word(words, count,
             xasprintf("{\"driver\":\"%s\",\"node-name\":\"disk%zu\",\"file\":\"file%zu\","
                       "\"read-only\":%s%s}",
                       layers->items[i].driver, i, i, read_only, below));
}

static int start_daemon(struct export *export, const char *image, bool writable, struct err *e)
{
    static const char *const begin[] = { "unshare", "--mount", "--propagation",
                                         "private", "--",      "qemu-storage-daemon" };
    auto_with(text_list_free) char **words = NULL;
    auto_free char *place = double_commas(image);
    int fds[LAYERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
        add_word(&words, &count, xstrdup(begin[i]));
    for (size_t i = export->layers.count; i-- > 0;) {
        fds[i] = export->layers.items[i].fd;
        add_layer(&export->layers, i, writable, &words, &count);
    }
    add_word(&words, &count, xstrdup("--export"));
    add_word(&words, &count,
             xasprintf("type=fuse,id=view,node-name=disk0,mountpoint=%s,writable=%s", place,
                       writable ? "on" : "off"));
    add_word(&words, &count, NULL);
    return spawn_start(&(struct spawn){ .argv = (const char *const *)words,
                                        .inherit = fds,
                                        .inherit_count = export->layers.count,
                                        .errors_too = true },
                       &export->daemon, e);
}

/* Its last words, where it has ended. */
static bool has_ended(struct export *export, char *words, size_t size)
{
    struct pollfd wait = { .fd = export->daemon.out, .events = POLLIN };
    ssize_t n;

    if (poll(&wait, 1, 0) <= 0)
        return false;
    n = read(export->daemon.out, words, size - 1);
    words[n > 0 ? n : 0] = '\0';
    return true;
}

/* The file at the image's path in the daemon's namespace is another one once it is mounted. */
static int wait_for_view(struct export *export, const char *image, struct err *e)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    struct stat own, view;
    char words[512];

    if (fstat(export_image(export), &own) < 0)
        return err_errno(e, "look at %s", image);
    for (int i = 0; i < START_TRIES; i++) {
        if (stat(export->path, &view) == 0 && view.st_dev != own.st_dev)
            return 0;
        if (has_ended(export, words, sizeof words))
            return err_set(e, ERR_UNSUPPORTED, "qemu-storage-daemon cannot show %s: %s", image,
                           *words ? words : "it has ended");
        nanosleep(&pause, NULL);
    }
    return err_set(e, ERR_UNSUPPORTED, "qemu-storage-daemon does not show %s", image);
}

int export_start(const char *image, const struct image_source *source, bool writable,
                 struct export **ret, struct err *e)
{
    auto_export struct export *export = xcalloc(1, sizeof *export);
    auto_free char *absolute = realpath(image, NULL);

    export->daemon.out = -1;
    if (!absolute)
        return err_errno(e, "open %s", image);
    if (geteuid() != 0)
        return err_set(e, ERR_UNSUPPORTED, "--format=%s takes root's rights", source->format);
    if (layers_open(absolute, source, writable, &export->layers, e) < 0 ||
        start_daemon(export, absolute, writable, e) < 0)
        return -1;
    export->path = xasprintf("/proc/%d/root%s", (int)export->daemon.pid, absolute);
    if (wait_for_view(export, image, e) < 0)
        return -1;
    *ret = take_ptr(export);
    return 0;
}

const char *export_path(const struct export *export)
{
    return export->path;
}

int export_image(const struct export *export)
{
    return export->layers.items[0].fd;
}

void export_stop(struct export **export)
{
    if (!*export)
        return;
    spawn_finish(&(*export)->daemon, STOP_SECONDS); /* it writes what it still has in memory */
    layers_close(&(*export)->layers);
    free((*export)->path);
    free(*export);
    *export = NULL;
}
