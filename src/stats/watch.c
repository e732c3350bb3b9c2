#include "stats/watch.h"

#include "stats/findings_host.h"

static bool is_mode(const struct stats_host_facts *facts, const char *mode) {
    return facts->mode != NULL && strcmp(facts->mode, mode) == 0;
}

static struct findings_host describe(const struct stats_hosts *hosts, size_t host, bool calm, int64_t now_s) {
    const struct stats_host_facts *facts = stats_hosts_facts(hosts, host);
    return (struct findings_host){
        .name = facts->host,
        .recent = stats_hosts_recent(hosts, host),
        .now_s = now_s,
        .asks = is_mode(facts, "report") || is_mode(facts, "enforce"),
        .enforces = is_mode(facts, "enforce"),
        .calm = calm,
        .is_tcp = facts->is_tcp,
        .takes_old_lists = facts->takes_old_crls,
        .origins = facts->origins,
        .origin_count = facts->origin_count,
        .why = (const char(*)[STATS_WHY_SIZE])stats_hosts_why(hosts, host),
        .terms = facts->terms,
    };
}

void watch_hosts(struct findings *findings, const struct stats_hosts *hosts, bool calm, int64_t now_s) {
    for (size_t i = 0; hosts != NULL && i < stats_hosts_count(hosts); i++) {
        struct recent *recent = stats_hosts_recent(hosts, i);
        struct findings_host host = describe(hosts, i, calm, now_s);
        findings_of_host(findings, &host, &recent->marks);
        if ((recent->marks.severe >> FINDING_CLIENTS_REFUSED & 1) != 0) {
            recent->in_doubt = true;
        }
    }
}
