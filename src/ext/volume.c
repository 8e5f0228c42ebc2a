/* SPDX-License-Identifier: MIT */
#include "ext/volume.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_BLOCK = 1024,           /* where, and in units of which, the superblock is read */
    KEPT_BYTES = 2 * 1024 * 1024, /* clean blocks, all together */
    CHANGED_MAX = 16384,          /* blocks; a repair writes some dozens */
};

struct kept {
    uint64_t number;
    unsigned char *bytes; /* NULL: none */
};

/* ---- the volume itself --------------------------------------------------------------------- */

static bool inside(const struct ext_volume *volume, uint64_t at, size_t len)
{
    return at <= volume->size && len <= volume->size - at;
}

errcode_t volume_read(const struct ext_volume *volume, uint64_t at, void *bytes, size_t len)
{
    if (!inside(volume, at, len))
        return EXT2_ET_SHORT_READ;
    return io_read_at(volume->fd, bytes, len, volume->offset + at) < 0 ? errno : 0;
}

errcode_t volume_write(const struct ext_volume *volume, uint64_t at, const void *bytes, size_t len)
{
    if (!inside(volume, at, len))
        return EXT2_ET_SHORT_WRITE;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(volume->fd, (const char *)bytes + done, len - done,
                           (off_t)(volume->offset + at + done));

        if (n < 0 && errno != EINTR)
            return errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

errcode_t volume_flush(const struct ext_volume *volume)
{
    return fdatasync(volume->fd) < 0 ? errno : 0;
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* Where a block stands among the changed ones, or would. */
static size_t place_of(const struct ext_volume *volume, uint64_t number)
{
    size_t low = 0, high = volume->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (volume->changed[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct changed_block *find_changed(const struct ext_volume *volume, uint64_t number)
{
    size_t at = place_of(volume, number);

    return at < volume->count && volume->changed[at].number == number ? &volume->changed[at] : NULL;
}

static void wipe(unsigned char **bytes, size_t len)
{
    if (*bytes)
        explicit_bzero(*bytes, len);
    free(*bytes);
    *bytes = NULL;
}

static void forget_kept(struct ext_volume *volume)
{
    for (size_t i = 0; i < volume->slots; i++)
        wipe(&volume->kept[i].bytes, volume->block);
    free(volume->kept);
    volume->kept = NULL;
    volume->slots = 0;
}

static void set_block(struct ext_volume *volume, uint32_t block)
{
    forget_kept(volume);
    volume->block = block;
    volume->slots = KEPT_BYTES / block;
    volume->kept = xcalloc(volume->slots, sizeof *volume->kept);
}

/* The end of a volume may cut its last block. */
static size_t length_of(const struct ext_volume *volume, uint64_t number)
{
    uint64_t at = number * volume->block;

    return volume->size - at < volume->block ? (size_t)(volume->size - at) : volume->block;
}

static const struct log_block *find_logged(const struct volume_log *log, uint64_t number)
{
    size_t low = 0, high = log->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (log->blocks[middle].number == number)
            return &log->blocks[middle];
        if (log->blocks[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A block as the log has it. */
static errcode_t read_logged(const struct ext_volume *volume, const struct log_block *block,
                             size_t skip, unsigned char *bytes, size_t len)
{
    errcode_t error = volume_read(volume, block->at + skip, bytes, len);

    if (!error && block->escaped && skip == 0)
        memcpy(bytes, "\xc0\x3b\x39\x98", 4);
    return error;
}

/* The same as volume_read, through the log, whose blocks may be larger or smaller than these. */
static errcode_t read_newest(const struct ext_volume *volume, uint64_t at, unsigned char *bytes,
                             size_t len)
{
    const struct volume_log *log = volume->log;
    errcode_t error = 0;

    if (!log)
        return volume_read(volume, at, bytes, len);
    for (size_t done = 0; !error && done < len;) {
        const struct log_block *block = find_logged(log, (at + done) / log->block);
        size_t skip = (size_t)((at + done) % log->block);
        size_t some = len - done < log->block - skip ? len - done : log->block - skip;

        error = block ? read_logged(volume, block, skip, bytes + done, some)
                      : volume_read(volume, at + done, bytes + done, some);
        done += some;
    }
    return error;
}

/* A block as it is now, in memory. */
static errcode_t block_now(struct ext_volume *volume, uint64_t number, unsigned char **ret)
{
    const struct changed_block *changed = find_changed(volume, number);
    struct kept *kept = &volume->kept[number % volume->slots];
    errcode_t error;

    if (changed) {
        *ret = changed->bytes;
        return 0;
    }
    if (!kept->bytes || kept->number != number) {
        if (!kept->bytes)
            kept->bytes = xcalloc(volume->block, 1);
        kept->number = UINT64_MAX;
        error = read_newest(volume, number * volume->block, kept->bytes, length_of(volume, number));
        if (error)
            return error;
        kept->number = number;
    }
    *ret = kept->bytes;
    return 0;
}

/* The same, to be written to. */
static errcode_t block_for_change(struct ext_volume *volume, uint64_t number, unsigned char **ret)
{
    struct changed_block block = { .number = number }, *found = find_changed(volume, number);
    size_t at = place_of(volume, number);
    unsigned char *now;
    errcode_t error;

    if (found) {
        *ret = found->bytes;
        return 0;
    }
    if (volume->fixed || volume->count == CHANGED_MAX)
        return volume->fixed ? EROFS : EFBIG;
    error = block_now(volume, number, &now);
    if (error)
        return error;
    block.bytes = xcalloc(volume->block, 1);
    memcpy(block.bytes, now, volume->block);
    array_push(volume->changed, volume->count, block);
    memmove(volume->changed + at + 1, volume->changed + at,
            (volume->count - 1 - at) * sizeof *volume->changed);
    volume->changed[at] = block;
    *ret = block.bytes;
    return 0;
}

/* One stretch of bytes, block by block; into the volume where it is given, else out of it. */
static errcode_t transfer(struct ext_volume *volume, uint64_t at, unsigned char *out,
                          const unsigned char *in, size_t len)
{
    if (!inside(volume, at, len))
        return in ? EXT2_ET_SHORT_WRITE : EXT2_ET_SHORT_READ;
    for (size_t done = 0; done < len;) {
        size_t skip = (size_t)((at + done) % volume->block);
        size_t some = len - done < volume->block - skip ? len - done : volume->block - skip;
        uint64_t number = (at + done) / volume->block;
        unsigned char *block;
        errcode_t error =
            in ? block_for_change(volume, number, &block) : block_now(volume, number, &block);

        if (error)
            return error;
        if (in)
            memcpy(block + skip, in + done, some);
        else
            memcpy(out + done, block + skip, some);
        done += some;
    }
    return 0;
}

/* What of a changed block lies within the stretch. */
static void lay_over(const struct ext_volume *volume, const struct changed_block *block,
                     uint64_t at, unsigned char *bytes, size_t len)
{
    uint64_t first = block->number * volume->block, last = first + volume->block;
    uint64_t from = first > at ? first : at, to = last < at + len ? last : at + len;

    memcpy(bytes + (from - at), block->bytes + (from - first), (size_t)(to - from));
}

errcode_t ext_io_read(const struct ext_volume *volume, uint64_t at, void *bytes, size_t len)
{
    errcode_t error = read_newest(volume, at, bytes, len);

    for (size_t i = place_of(volume, at / volume->block);
         !error && i < volume->count && volume->changed[i].number * volume->block < at + len; i++)
        lay_over(volume, &volume->changed[i], at, bytes, len);
    return error;
}

/* ---- as libext2fs wants it ------------------------------------------------------------- */

/* The log by its address: the name comes from nobody but us. */
void ext_io_name(int fd, uint64_t offset, uint64_t size, const struct volume_log *log,
                 char ret_name[EXT_IO_NAME])
{
    snprintf(ret_name, EXT_IO_NAME, "%d %llu %llu %p", fd, (unsigned long long)offset,
             (unsigned long long)size, (const void *)log);
}

struct ext_volume *ext_io_volume(io_channel channel)
{
    return channel->private_data;
}

static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
    unsigned long long offset, size;
    void *log;
    struct ext_volume *volume;
    io_channel channel;
    int fd;

    if (sscanf(name, "%d %llu %llu %p", &fd, &offset, &size, &log) != 4)
        return EINVAL;
    volume = xcalloc(1, sizeof *volume);
    *volume = (struct ext_volume){
        .fd = fd, .offset = offset, .size = size, .log = log, .fixed = !(flags & IO_FLAG_RW)
    };
    set_block(volume, FIRST_BLOCK);
    channel = xcalloc(1, sizeof *channel);
    *channel = (struct struct_io_channel){ .magic = EXT2_ET_MAGIC_IO_CHANNEL,
                                           .manager = ext_io_manager,
                                           .name = xstrdup(name),
                                           .block_size = FIRST_BLOCK,
                                           .refcount = 1,
                                           .private_data = volume };
    *ret = channel;
    return 0;
}

static void forget_changed(struct ext_volume *volume)
{
    for (size_t i = 0; i < volume->count; i++)
        wipe(&volume->changed[i].bytes, volume->block);
    free(volume->changed);
    volume->changed = NULL;
    volume->count = 0;
}

/* Clean blocks may have been kept from before they were changed. */
void ext_io_settle(struct ext_volume *volume)
{
    forget_changed(volume);
    set_block(volume, volume->block);
    volume->fixed = false;
}

static errcode_t io_close(io_channel channel)
{
    struct ext_volume *volume = ext_io_volume(channel);

    if (--channel->refcount > 0)
        return 0;
    forget_kept(volume);
    forget_changed(volume);
    free(volume);
    free(channel->name);
    free(channel);
    return 0;
}

/* The largest that is asked for is the file system's own. */
static errcode_t io_set_blksize(io_channel channel, int size)
{
    struct ext_volume *volume = ext_io_volume(channel);

    if (size < FIRST_BLOCK)
        return EINVAL;
    channel->block_size = size;
    if ((uint32_t)size > volume->block && volume->count == 0)
        set_block(volume, (uint32_t)size);
    return 0;
}

/* A negative count is one of bytes. */
static errcode_t stretch_of(io_channel channel, unsigned long long block, int count,
                            uint64_t *ret_at, size_t *ret_len)
{
    uint64_t size = (uint64_t)channel->block_size;

    if (block > ext_io_volume(channel)->size / size)
        return EXT2_ET_SHORT_READ;
    *ret_at = block * size;
    *ret_len = count < 0 ? -(size_t)count : (size_t)count * size;
    return 0;
}

static errcode_t io_read64(io_channel channel, unsigned long long block, int count, void *data)
{
    uint64_t at;
    size_t len;
    errcode_t error = stretch_of(channel, block, count, &at, &len);

    return error ? error : transfer(ext_io_volume(channel), at, data, NULL, len);
}

static errcode_t io_write64(io_channel channel, unsigned long long block, int count,
                            const void *data)
{
    uint64_t at;
    size_t len;
    errcode_t error = stretch_of(channel, block, count, &at, &len);

    return error ? error : transfer(ext_io_volume(channel), at, NULL, data, len);
}

static errcode_t io_read(io_channel channel, unsigned long block, int count, void *data)
{
    return io_read64(channel, block, count, data);
}

static errcode_t io_write(io_channel channel, unsigned long block, int count, const void *data)
{
    return io_write64(channel, block, count, data);
}

static errcode_t io_write_bytes(io_channel channel, unsigned long at, int len, const void *data)
{
    return transfer(ext_io_volume(channel), at, NULL, data, (size_t)len);
}

/* Nothing reaches the disk before the transaction. */
static errcode_t io_flush(io_channel channel)
{
    (void)channel;
    return 0;
}

static struct struct_io_manager manager = {
    .magic = EXT2_ET_MAGIC_IO_MANAGER,
    .name = "sshmend",
    .open = io_open,
    .close = io_close,
    .set_blksize = io_set_blksize,
    .read_blk = io_read,
    .write_blk = io_write,
    .flush = io_flush,
    .write_byte = io_write_bytes,
    .read_blk64 = io_read64,
    .write_blk64 = io_write64,
};

const io_manager ext_io_manager = &manager;
