#include "stats/watch.h"

#include "stats/findings_host.h"

static bool is_mode(const struct stats_host_facts *facts, const char *mode) {
    return facts->mode != NULL && strcmp(facts->mode, mode) == 0;
}

static struct findings_host describe(const struct stats_host_facts *facts, const struct recent *recent, bool calm,
                                     int64_t now_s) {
    return (struct findings_host){
        .name = facts->host,
        .recent = recent,
        .now_s = now_s,
        .asks = is_mode(facts, "report") || is_mode(facts, "enforce"),
        .enforces = is_mode(facts, "enforce"),
        .calm = calm,
        .is_tcp = facts->is_tcp,
        .takes_old_lists = facts->takes_old_crls,
        .origins = facts->origins,
        .origin_count = facts->origin_count,
        .certificates = facts->certificates,
        .certificate_count = facts->certificate_count,
        .lists = facts->crls,
        .list_count = facts->crl_count,
        .roots = facts->client_cas,
        .root_count = facts->client_ca_count,
    };
}

void watch_hosts(struct findings *findings, const struct stats_hosts *hosts, bool calm, int64_t now_s) {
    for (size_t i = 0; hosts != NULL && i < stats_hosts_count(hosts); i++) {
        struct recent *recent = stats_hosts_recent(hosts, i);
        struct findings_host host = describe(stats_hosts_facts(hosts, i), recent, calm, now_s);
        findings_of_host(findings, &host, &recent->marks);
        if ((recent->marks.severe >> FINDING_CLIENTS_REFUSED & 1) != 0) {
            recent->in_doubt = true;
        }
    }
}
