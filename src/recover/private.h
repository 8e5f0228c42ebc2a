/* SPDX-License-Identifier: MIT */
/* What the files of recover/ share. Private to recover/. */
#ifndef RECOVER_PRIVATE_H
#define RECOVER_PRIVATE_H

#include "recover/recover.h"

#include <stddef.h>
#include <time.h>

/* ---- source.c: the bytes of a volume ----------------------------------------------------- */

enum {
    SOURCE_BLOCK = 4096,         /* reads are aligned to it; what cannot be read is lost by it */
    SOURCE_VIEW = 1024 * 1024,   /* at most so much in one view */
    SOURCE_SLACK = SOURCE_BLOCK, /* and so much behind it */
    SOURCE_VIEWS = 4,            /* views at a time */
};

/* Of a volume, good until another one is asked for in its place. */
struct view {
    unsigned char *buffer;
    /* The part of an image that is mapped: [mapped, mapped + length), aligned to half its size. */
    unsigned char *map;
    uint64_t mapped;
    size_t length;
};

struct source {
    int fd;           /* through the page cache */
    int direct;       /* past it, for block devices; -1: none */
    bool maps;        /* an image file, which is mapped */
    uint64_t offset;  /* of the volume on the disk */
    uint64_t size;    /* of the volume */
    uint64_t *failed; /* counts what could not be read, in whichever thread */
    struct view views[SOURCE_VIEWS];
};

int source_open(const struct disk *disk, const struct recover_where *where, uint64_t *failed,
                struct source *ret, struct err *e) MUST_CHECK;
void source_close(struct source *source);
/*
 * The bytes at an offset, and in *ret_len how many: `want` (at most SOURCE_VIEW) and
 * SOURCE_SLACK behind them, fewer at the end of the volume. Good until the next call for the same
 * view. While one thread calls this, another may call it for another view, and source_copy.
 */
const unsigned char *source_view(struct source *source, size_t view, uint64_t at, size_t want,
                                 size_t *ret_len);
/* Copies what there is; what cannot be read is zero. Returns how many bytes, few at the end. */
size_t source_copy(struct source *source, uint64_t at, void *bytes, size_t len);
/* The first offset from this one on that is no hole of a sparse image. */
uint64_t source_data(const struct source *source, uint64_t at);

/* ---- space.c: in which order --------------------------------------------------------------- */

struct stretch {
    uint64_t start, end; /* offsets in the volume */
    enum recover_space space;
};

struct space;
struct space *space_open(const struct source *source, const struct recover_where *where);
void space_free(struct space **space);
/* True where unallocated space is known; else all is one stretch of unknown space. */
bool space_is_known(const struct space *space);
/* How many bytes there are of this kind, as far as the file system says so. */
uint64_t space_bytes(const struct space *space, enum recover_space kind);
/* The next stretch: first all unallocated ones, then all others. False at the end. */
bool space_next(struct space *space, struct stretch *ret);
/* The smallest unit in which files lie: where the pieces of one may begin. */
uint64_t space_block(const struct space *space);

/* ---- scan.c: where a key may be -------------------------------------------------------------- */

enum mark {
    MARK_BEGIN, /* "-----BEGIN " */
    MARK_END,   /* "-----END " */
    MARK_RSA1,  /* "SSH PRIVATE KEY FILE FORMAT 1.1\n\0" */
    MARK_ZSTD,  /* the magic number of a frame */
    MARK_GZIP,
    MARK_ZLIB,
};

/* What else to look for than keys in clear. */
enum {
    SCAN_PACKED = 1,  /* zstd and gzip where a sector begins: files */
    SCAN_ZSTD = 2,    /* zstd at every byte: btrfs, also inline */
    SCAN_ZLIB = 4,    /* zlib where a sector begins: btrfs */
    SCAN_PLAINLY = 8, /* by what every processor has: for tests */
    SCAN_SECTOR = 512,
    SCAN_LONGEST = 48, /* bytes from the start of a mark that may have to be looked at */
};

typedef void (*scan_hit)(void *context, enum mark mark, size_t at);
/*
 * Calls `hit` for each mark that begins before `starts`, in order of 512-byte sectors;
 * the marks may reach beyond, up to len.
 */
void scan_bytes(const unsigned char *bytes, size_t len, size_t starts, unsigned what, scan_hit hit,
                void *context);

/* ---- scout.c: a scan ahead ------------------------------------------------------------------- */

struct part_mark {
    enum mark mark;
    size_t at; /* in the view */
};

/* A part of the volume, and what shows there. */
struct part {
    struct stretch stretch;
    uint64_t at;
    size_t want, len;          /* marks begin in the first so many bytes; and so many are at hand */
    const unsigned char *view; /* NULL: it could not be read */
    struct part_mark *marks;
    size_t count;
};

/* ahead: in a thread of its own, where there can be one; else all is done by scout_wait. */
struct scout *scout_start(struct source *source, unsigned what, bool ahead);
void scout_free(struct scout **scout);
bool scout_has_room(const struct scout *scout);
/* Another part, where there is room. */
void scout_ask(struct scout *scout, const struct stretch *stretch, uint64_t at, size_t want);
/* The first that was asked for and is not done with; NULL: there is none. */
const struct part *scout_wait(struct scout *scout);
void scout_done(struct scout *scout);

/* ---- armour.c: the text of a key, whatever it is wrapped in --------------------------------- */

enum {
    ARMOUR_MAX = 64 * 1024,    /* of the text of a key */
    ARMOUR_DAMAGED = 16 * 1024 /* of one that is damaged: RSA of 16384 bits fits */
};

enum armour_state {
    ARMOUR_NONE,         /* no private key */
    ARMOUR_WHOLE,        /* from its first to its last line */
    ARMOUR_DAMAGED_BODY, /* the same, but with '?' for characters that cannot be */
    ARMOUR_TORN,         /* ends in the middle */
    ARMOUR_MORE,         /* the bytes at hand are too few to tell */
};

struct armour {
    enum armour_state state;
    struct blob text; /* as a file: no indentation, LF alone; of a torn one, what there is */
    size_t length;    /* how many bytes it took; of a torn one, where it breaks off */
    bool irregular;   /* a line is longer than the first one */
    size_t column;    /* TORN: characters of its last line */
    size_t width;     /* characters of its first line of base64; 0: none */
};

/* Bytes that begin with "-----BEGIN ". `all`: there are no more to be had. */
void armour_read(const unsigned char *bytes, size_t len, bool all, struct armour *ret);
/*
 * What stands before an "-----END …" at `end`, where the first line is damaged or lost;
 * the length is where it begins.
 */
void armour_read_back(const unsigned char *bytes, size_t end, size_t len, struct armour *ret);
/* The same text with a last line. */
struct blob armour_closed(const struct blob *text);
void armour_free(struct armour *armour);
bool is_base64(unsigned char c);

/* ---- search.c ------------------------------------------------------------------------------- */

enum {
    TOLD_MAX = 128,        /* keys nobody asked for */
    HINTED_MAX = 32,       /* keys that fit one hint */
    DAMAGED_MAX = 96,      /* remains kept for later */
    DAMAGED_EACH = 12,     /* of them, those of one wanted key */
    JUDGED_MAX = 64 * 1024 /* judgements without a claim that matches */
};

/* What is left of a key, kept until all of a stage is searched. */
struct remnant {
    struct blob text;
    uint64_t offset;
    enum recover_space space;
    int want;      /* whose public part it claims; -1: none that is wanted */
    bool torn;     /* its end is missing */
    size_t column; /* torn: characters of its last line */
    size_t width;
    uint64_t broken; /* torn: the offset where it breaks off */
};

struct search {
    struct source source;
    struct space *space;
    const struct recover_want *wants;
    size_t want_count;
    bool *settled;       /* for each want: found, and needs no more */
    char **fingerprints; /* for each want with a blob: its fingerprint */
    const struct recover_options *options;
    struct recovery *result;
    struct remnant remnants[DAMAGED_MAX];
    size_t remnant_count;
    unsigned judged;

    /* What is asked for next. */
    struct scout *scout;
    struct stretch ahead;
    bool has_ahead;
    uint64_t ahead_at;

    /* Where the search is. */
    struct stretch stretch;
    const unsigned char *view;
    uint64_t view_at;
    size_t view_len;
    uint64_t consumed;      /* up to here a text has been read */
    unsigned char *scratch; /* locked; of SCRATCH bytes */
    struct unpacker *unpacker;

    struct recover_progress now;
    struct timespec began, told;
    bool cancelled;
};

enum { SCRATCH = ARMOUR_MAX + SOURCE_BLOCK };

/* Adds to what is done; false where the operator has had enough. */
bool search_advance(struct search *search, uint64_t done);
void search_begin_stage(struct search *search, enum recover_stage stage, uint64_t total);
/* Every want that names one key has it. */
bool search_settled(const struct search *search);

/* ---- carve.c: from a mark to a key ------------------------------------------------------------
 */

void carve(void *search, enum mark mark, size_t at);

/* ---- match.c: is it wanted? -------------------------------------------------------------------
 */

/* Where a candidate comes from. */
struct origin {
    uint64_t offset;
    enum recover_space space;
    enum recover_way way;
};

/* The text or bytes of a private key file, with all of it there. */
void match_file(struct search *search, const struct blob *file, const struct origin *origin);
/* Text that is torn or damaged: told, and kept where it may be put together. */
void match_remains(struct search *search, const struct armour *armour, const struct origin *origin);
/* A key that has been proven. Takes it over. */
void match_key(struct search *search, struct hostkey *key, const struct origin *origin);
/* The want that names this public key; -1: none. */
int match_exact(const struct search *search, const struct pubkey *pub);

/* ---- packed.c ---------------------------------------------------------------------------------
 */

struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker **unpacker);
/* Unpacks what begins at an offset, bounded, and takes the keys in it. */
void unpack(struct search *search, enum mark mark, uint64_t at);

/* ---- join.c, rebuild.c: from remains ------------------------------------------------------------
 */

void join_remnants(struct search *search);
void rebuild_remnants(struct search *search);

/* Keeps the bytes out of swap for as long as the program runs; best effort. */
void keep_in_memory(const void *bytes, size_t len);

#endif
