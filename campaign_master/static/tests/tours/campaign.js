import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const SYNC = "button[name=action_campaign_master_sync]";

/** Syncing is refused as long as the subject is missing, and starts once it is there. */
tours.add("campaign_master_sync", {
    steps: () => [
        { trigger: SYNC, run: "click" },
        {
            content: "The refusal says what is missing",
            trigger:
                ".modal:contains('Unable to create the external campaign for the following reason : Campaign subject is required and has not been provided') footer button",
            run: "click",
        },
        {
            trigger: "[name=campaign_master_subject] input",
            run: "edit Spring is here",
        },
        { trigger: SYNC, run: "click" },
        {
            content: "The sync runs in the background, with its progress and a way to stop it",
            trigger: ".o_campaign_master_sync_status[data-state=running] .o_campaign_master_cancel",
        },
    ],
});

/** Before the sync: who would be added and who would not, and from there to the sync. */
tours.add("campaign_master_check", {
    steps: () => [
        { trigger: "button[name=action_campaign_master_check]", run: "click" },
        { trigger: ".modal .o_data_row:contains('Will be added'):contains('2')" },
        {
            content: "Those without an address open as a list",
            trigger: ".modal .o_data_row:contains('No e-mail') button[name=action_open]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Nobody Reachable')" },
        { trigger: ".o_back_button a, .breadcrumb-item.o_back_button a", run: "click" },
        { trigger: "button[name=action_campaign_master_check]", run: "click" },
        { trigger: ".modal footer button[name=action_sync]", run: "click" },
        {
            trigger: ".o_campaign_master_sync_status[data-state=running]",
        },
    ],
});

/** After the sync: its outcome, what is left to do, the locked template, and the tabs. */
tours.add("campaign_master_outcome", {
    steps: () => [
        {
            content: "What is left to do in Campaign Master is said",
            trigger: ".o_campaign_master_sync_status:contains('Left to do in Campaign Master')",
        },
        {
            trigger: ".o_campaign_master_sync_status [data-outcome=no_email]",
        },
        {
            content: "The template is locked and says why",
            trigger:
                ".o_form_view:not(:has([name=campaign_master_template_id] input)):contains('Launch Campaign › Edit/Test')",
        },
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('ann@example.com')" },
        { trigger: "a[name=campaign_master_companies]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('office@example.com')" },
        {
            content: "An outcome opens its recipients",
            trigger: ".o_campaign_master_sync_status [data-outcome=no_email]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Nobody Reachable')" },
        { trigger: ".o_back_button a, .breadcrumb-item.o_back_button a", run: "click" },
        {
            content: "The log tells who synced and what came of it",
            trigger: "button[name=action_campaign_master_syncs]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Mara Marketing'):contains('Partly')" },
    ],
});

/** Somebody without access to leads sees no Leads tab. */
tours.add("campaign_master_no_leads", {
    steps: () => [
        { trigger: ".o_notebook:has(a[name=campaign_master_contacts]):not(:has(a[name=campaign_master_leads]))" },
    ],
});

/** People who are ticked in their list are added to a campaign. */
tours.add("campaign_master_add_to_campaign", {
    steps: () => [
        { trigger: ".o_data_row:contains('Tick Me') .o_list_record_selector input", run: "click" },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains('Add to Campaign')", run: "click" },
        { trigger: ".modal [name=campaign_id] input", run: "edit Spring offers" },
        { trigger: ".ui-autocomplete .ui-menu-item:contains('Spring offers')", run: "click" },
        { trigger: ".modal button[name=action_add]", run: "click" },
        { trigger: ".o_notification:contains('1 added to “Spring offers”')" },
    ],
});
