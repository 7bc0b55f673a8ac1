/**
 * Call an action of a campaign like a button of its form: changes are saved first.
 *
 * @param {Object} action the action service
 * @param {Object} record the campaign
 * @param {string} name of the method, without action_campaign_master_
 * @param {Array} [args] its arguments
 * @param {Function} [onClose] called when a dialog that it opens is closed, or at once
 */
export async function runCampaignAction(action, record, name, args = [], onClose) {
    if ((await record.isDirty()) && !(await record.save())) {
        return;
    }
    return action.doActionButton({
        type: "object",
        name: `action_campaign_master_${name}`,
        args: JSON.stringify(args),
        resModel: record.resModel,
        resId: record.resId,
        context: record.context,
        onClose,
    });
}
