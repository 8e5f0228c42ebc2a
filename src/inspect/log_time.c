/* SPDX-License-Identifier: MIT */
/* When a line of a text log was written, by the four ways in which such lines begin. */
#include "inspect/private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { QUARTER = 15 * 60, DAY = 24 * 60 * 60, ZONE_MAX = 14 * 60 * 60 };

static int64_t seconds_of(int year, int month, int day, const int clock[3])
{
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = clock[0],
                     .tm_min = clock[1],
                     .tm_sec = clock[2] };

    return timegm(&tm);
}

/* "+01:00" or "-0530", in seconds; 0 where it is none: UTC. */
static int zone_of(const char *text)
{
    int hours, minutes, used = 0;
    char sign[2];

    if (sscanf(text, "%1[+-]%2d%n", sign, &hours, &used) != 2)
        return 0;
    if (sscanf(text + used + (text[used] == ':'), "%2d", &minutes) != 1)
        return 0;
    return (*sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* "2026-11-24T21:03:44.123456+01:00", and cloud-init's "2026-11-24 21:03:44,123" of UTC. */
static int64_t by_full_date(const char *line)
{
    int year, month, day, clock[3], used = 0;

    if (sscanf(line, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &year, &month, &day, &clock[0], &clock[1],
               &clock[2], &used) != 6)
        return 0;
    line += used;
    if (*line == '.' || *line == ',')
        line += 1 + strspn(line + 1, "0123456789");
    return seconds_of(year, month, day, clock) - zone_of(line);
}

/* "Nov 24 21:03:44 host": the year is the one before the file was written last. */
static int64_t by_month(const char *line, const struct log_clock *clock)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4];
    int day, time[3];
    const char *month;
    time_t written = clock->written;
    struct tm tm;
    int64_t seconds;

    if (sscanf(line, "%3[A-Za-z] %2d %2d:%2d:%2d", name, &day, &time[0], &time[1], &time[2]) != 5 ||
        strlen(name) != 3 || !gmtime_r(&written, &tm))
        return 0;
    month = strstr(months, name);
    if (!month || (month - months) % 3 != 0)
        return 0;
    tm.tm_year += 1900;
    seconds = seconds_of(tm.tm_year, (int)(month - months) / 3 + 1, day, time);
    if (seconds > clock->written + DAY)
        seconds = seconds_of(tm.tm_year - 1, (int)(month - months) / 3 + 1, day, time);
    return seconds + clock->zone;
}

/* "type=AVC msg=audit(1700000000.123:24287): avc: denied" */
static int64_t by_audit(const char *line)
{
    const char *at = strstr(line, "msg=audit(");
    int64_t seconds;

    return at && sscanf(at, "msg=audit(%11ld", &seconds) == 1 ? seconds : 0;
}

int64_t log_time(const char *line, const struct log_clock *clock)
{
    int64_t seconds = by_full_date(line);

    if (!seconds)
        seconds = by_month(line, clock);
    return seconds ? seconds : by_audit(line);
}

struct log_clock log_clock_of(const char *last_line, int64_t written)
{
    struct log_clock clock = { .written = written };
    int64_t last = by_month(last_line, &clock), behind = last ? written - last : 0;

    behind = (behind + (behind < 0 ? -QUARTER : QUARTER) / 2) / QUARTER * QUARTER;
    if (behind >= -ZONE_MAX && behind <= ZONE_MAX)
        clock.zone = behind;
    return clock;
}
